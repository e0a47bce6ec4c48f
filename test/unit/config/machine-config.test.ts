import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { firstKey, KEYS } from '../../../src/config/keys.ts';
import { longNameOf, parseMachineConfig } from '../../../src/config/machine-config.ts';
import { formatIssue } from '../../../src/config/text/issues.ts';
import { DEFAULTS_PATH, MACHINE_PATH, parseGood, problemsOf, shorten } from './support.ts';

suite('an empty file', () => {
  test('is a machine with the defaults of the table', () => {
    const config = parseGood('');
    assert.equal(config.longName, 'web');
    assert.equal(config.name, 'web');
    assert.equal(config.dir, '/etc/qemu');
    assert.equal(config.targetArch, 'qemu-system-x86_64');
    assert.equal(config.machine, 'q35');
    assert.equal(config.cpu, undefined);
    assert.equal(config.smp, '1');
    assert.equal(config.memoryBytes, 2 * 1024 ** 3);
    assert.equal(config.kvm, 'auto');
    assert.equal(config.firmware, 'bios');
    assert.equal(config.boot, undefined);
    assert.deepEqual(config.disks, []);
    assert.equal(config.netif, 'hook');
    assert.equal(config.vga, 'std');
    assert.ok(config.serial && config.agent && config.rng && config.balloon);
    assert.ok(!config.tpm && !config.sandbox && !config.autostart);
    assert.equal(config.bootOrder, 50);
    assert.equal(config.stopDelaySeconds, 60);
    assert.equal(config.stopMethod, 'auto');
    assert.equal(config.restart, 'no');
    assert.equal(config.origins.size, 0);
  });

  test('an empty value is the same as none', () => {
    assert.deepEqual(parseGood(KEYS.map((spec) => `${firstKey(spec)}=\n`).join('')), parseGood(''));
  });
});

suite('values', () => {
  test('arrive, with the line that they stand on', () => {
    const config = parseGood(
      'NAME=Web-1\nOS=debian\nDESC="a # b"\nSMP=4\nRAM=512\nKVM=false\nCPU=qemu64,+aes\nBOOT=cdrom,disk\nAUTOSTART=ON\n' +
        'TGTARCH=bin/qemu\nMACHINE=pc-q35-7.2,hpet=off\nFIRMWARE=OVMF.fd\nSTOPDELAY=0\nSTOPMETHOD=ACPI\nVGA=none\n',
    );
    assert.equal(config.name, 'Web-1');
    assert.equal(config.description, 'a # b');
    assert.equal(config.smp, '4');
    assert.equal(config.memoryBytes, 512 * 1024 ** 2);
    assert.equal(config.kvm, 'off');
    assert.equal(config.cpu, 'qemu64,+aes');
    assert.deepEqual(config.boot, ['cdrom', 'disk']);
    assert.equal(config.autostart, true);
    assert.equal(config.targetArch, '/etc/qemu/bin/qemu');
    assert.equal(config.machine, 'pc-q35-7.2,hpet=off');
    assert.equal(config.firmware, '/etc/qemu/OVMF.fd');
    assert.equal(config.stopDelaySeconds, 0);
    assert.equal(config.stopMethod, 'acpi');
    assert.deepEqual(config.origins.get('RAM'), { file: MACHINE_PATH, line: 5 });
  });

  test('the UUID follows NAME, or is the one that is set', () => {
    assert.equal(parseGood('').uuid, parseGood('NAME=web\n').uuid);
    assert.notEqual(parseGood('NAME=other\n').uuid, parseGood('').uuid);
    const uuid = '550E8400-E29B-41D4-A716-446655440000';
    assert.equal(parseGood(`UUID=${uuid}\n`).uuid, uuid.toLowerCase());
  });

  test('nothing is executed or expanded', () => {
    const config = parseGood('DESC=$(touch x)\nOS=`id`\nDSK1=$HOME/~/*.img\nPRECMD=/bin/echo $(touch x) "$HOME"\n');
    assert.equal(config.description, '$(touch x)');
    assert.equal(config.os, '`id`');
    assert.equal(config.disks[0]?.file, '/etc/qemu/$HOME/~/*.img');
    assert.deepEqual(config.preCommand, ['/bin/echo', '$(touch', 'x)', '$HOME']);
  });

  test('the program of a command is a path when it has a slash', () => {
    assert.deepEqual(parseGood('PRECMD=./a b\nPOSTCMD=logger up\nPRESTOP="/x/y \'a b\'"\n').preCommand, [
      '/etc/qemu/a',
      'b',
    ]);
    assert.deepEqual(parseGood('POSTCMD=logger up\n').postCommand, ['logger', 'up']);
    assert.deepEqual(parseGood(`POSTSTOP="/x/y 'a b'"\n`).postStop, ['/x/y', 'a b']);
  });

  test('SMP takes what -smp takes', () => {
    assert.equal(parseGood('SMP=4,sockets=1,cores=2,threads=2\n').smp, 'cpus=4,sockets=1,cores=2,threads=2');
    assert.equal(parseGood('SMP=cpus=4\n').smp, '4');
    assert.equal(parseGood('SMP="2, maxcpus=8"\n').smp, 'cpus=2,maxcpus=8');
    const wrong: Readonly<Record<string, RegExp>> = {
      '0': /a whole number from 1 to 1024/,
      '1025': /a whole number from 1 to 1024/,
      two: /a whole number/,
      '4,cors=2': /did you mean "cores"/,
      '4,2': /unknown option "2"/,
      'cpus=4,cpus=4': /"cpus=" twice/,
      '8,maxcpus=4': /more cpus \(8\) than maxcpus \(4\)/,
      '4,sockets=1,cores=2,threads=1': /for 2 processors, not 4/,
    };
    for (const [value, problem] of Object.entries(wrong)) assert.match(problemsOf(`SMP=${value}\n`)[0] ?? '', problem);
  });
});

suite('wrong values', () => {
  const wrong: Readonly<Record<string, RegExp>> = {
    'RAM=2X': /^1: RAM must be 1M to 16T, such as 512M or 2G, not "2X"$/,
    'RAM=1K': /must be 1M to 16T/,
    'RAM=17T': /must be 1M to 16T/,
    'NAME=a/b': /^1: NAME "a\/b" is not a valid name; a name has 1 to 40 letters/,
    [`NAME=${'a'.repeat(41)}`]: /is not a valid name/,
    'UUID=123': /^1: UUID must be 8-4-4-4-12 hexadecimal digits, not "123"$/,
    'KVM=maybe': /must be auto, on or off, not "maybe"/,
    'SERIAL=2': /must be on or off, not "2"/,
    'STOPDELAY=-1': /^1: STOPDELAY must be a whole number from 0 to 86400, not "-1"$/,
    'STOPDELAY=86401': /from 0 to 86400/,
    'BOOTORDER=10000': /from 0 to 9999/,
    'BOOT=disk,disk': /has "disk" twice/,
    'BOOT=floppy': /must be disk, cdrom or network, not "floppy"/,
    'FIRMWARE=ufi': /did you mean "uefi"/,
    'VGA=vrtio': /did you mean "virtio"/,
    'MACHINE=q 35': /is not a machine type/,
    'CPU=a b': /is not a processor model/,
    'TGTARCH=qemu system': /must be a program name/,
    'BRIDGE_IFNAME=a/b': /is not the name of an interface/,
    'BRIDGE_IFNAME=br#x': /is not the name of an interface/,
    'BRIDGE_IFNAME=-br': /is not the name of an interface/,
    'PRECMD="/x \'y"': /cannot be split into words/,
    'APPEND=x': /APPEND is set without KERNEL/,
    'INITRD=x': /INITRD is set without KERNEL/,
    'KVM=off\nCPU=host': /^2: CPU "host" needs KVM, which is off \(use CPU=max\)$/,
  };
  for (const [text, problem] of Object.entries(wrong)) {
    test(`${JSON.stringify(text.slice(0, 30))} is refused`, () => {
      const problems = problemsOf(`${text}\n`);
      assert.equal(problems.length, 1);
      assert.match(problems[0] ?? '', problem);
    });
  }

  test('all problems of a file are reported at once, by line', () => {
    assert.deepEqual(
      problemsOf('RMA=2G\nRAM=2X\nrubbish\nDSK1=a,foo=b\nDSK3=c\n[custom]\n-x "\n').map((problem) =>
        problem.slice(0, 24),
      ),
      [
        '1: Unknown key "RMA" (di',
        '2: RAM must be 1M to 16T',
        '3: "rubbish" is not KEY=',
        '4: DSK1 has an unknown o',
        '5: "DSK3" is set but DSK',
        '7: "-x "" cannot be spli',
      ],
    );
  });

  test('a list of problems ends after a hundred', () => {
    const problems = problemsOf('rubbish\n'.repeat(1000));
    assert.equal(problems.length, 101);
    assert.equal(problems.at(-1), ' There are 900 more problems');
  });
});

suite('unknown keys', () => {
  test('name the nearest known one, also by what others call it', () => {
    const meant: Readonly<Record<string, string>> = {
      RMA: 'RAM',
      ram: 'RAM',
      dsk2: 'DSK2',
      DSK: 'DSK1',
      DISK3: 'DSK3',
      MEMORY: 'RAM',
      CDROM1: 'CDR1',
      STOPDELEY: 'STOPDELAY',
      vcpus: 'SMP',
      RAM1: 'RAM',
    };
    for (const [key, near] of Object.entries(meant)) {
      assert.deepEqual(problemsOf(`${key}=x\n`), [`1: Unknown key "${key}" (did you mean "${near}"?)`]);
    }
    assert.deepEqual(problemsOf('__proto__=x\nQQQQQQQQ=x\n'), [
      '1: Unknown key "__proto__"',
      '2: Unknown key "QQQQQQQQ"',
    ]);
  });
});

suite('numbered keys', () => {
  test('a gap is an error that names the missing number', () => {
    assert.deepEqual(problemsOf('DSK1=a\n\nDSK3=b\n'), [
      '3: "DSK3" is set but DSK2 is not; numbers must be consecutive from 1 (rename it to DSK2, or add DSK2)',
    ]);
    assert.match(problemsOf('NIC4=e1000\n')[0] ?? '', /"NIC4" is set but NIC1 to NIC3 is not/);
    assert.match(problemsOf('CDR1=\nCDR2=b\n')[0] ?? '', /"CDR2" is set but CDR1 is not/);
  });

  test('a line with a fault leaves no gap', () => {
    assert.equal(problemsOf('DSK1=a\nDSK2="b" c\nDSK3=d\n').length, 1);
    assert.equal(problemsOf('DSK1=a\nDSK2=b\nDSK2=c\nDSK3=d\n').length, 1);
  });

  test('they may stand in any order', () => {
    assert.deepEqual(
      parseGood('DSK2=b\nDSK1=a\n').disks.map(({ index, file }) => [index, file]),
      [
        [1, '/etc/qemu/a'],
        [2, '/etc/qemu/b'],
      ],
    );
  });

  test('disks past the last port of the SATA controllers are refused there', () => {
    const disk = (x: number): string => `DSK${x}=d${x}.img,if=${x % 2 === 0 ? 'sata' : 'ide'}\n`;
    const text = Array.from({ length: 50 }, (_, at) => disk(at + 1)).join('');
    assert.deepEqual(problemsOf(text), [
      '49: DSK49 cannot be if=ide: only DSK1 to DSK48 can',
      '50: DSK50 cannot be if=sata: only DSK1 to DSK48 can',
    ]);
  });

  test('0, leading zeros and numbers past the last are refused', () => {
    assert.deepEqual(problemsOf('DSK0=a\nDSK01=a\nDSK65=a\nDSK99999999999=a\n'), [
      '1: "DSK0" has a wrong number: numbers start at 1 (did you mean "DSK1"?)',
      '2: "DSK01" has a wrong number: numbers start at 1 (did you mean "DSK1"?)',
      '3: "DSK65" is too high; it must be DSK1 to DSK64',
      '4: "DSK99999999999" is too high; it must be DSK1 to DSK64',
    ]);
  });
});

suite('RUNAS and SANDBOX', () => {
  test('need NETIF=managed when there is a tap to make', () => {
    assert.deepEqual(problemsOf('NIC1=e1000\nRUNAS=qemu\nSANDBOX=on\n'), [
      '2: RUNAS needs NETIF=managed: QEMU could not make its taps (set NETIF=managed)',
      '3: SANDBOX needs NETIF=managed: QEMU could not run its hooks (set NETIF=managed)',
    ]);
    const config = parseGood('NIC1=e1000\nRUNAS=qemu\nSANDBOX=on\nNETIF=managed\n');
    assert.equal(config.runAs, 'qemu');
    assert.equal(config.sandbox, true);
    assert.equal(parseGood('NIC1=e1000,net=user\nRUNAS=1000\n').runAs, '1000');
    assert.match(problemsOf('RUNAS="a b"\n')[0] ?? '', /is not a user/);
    for (const name of ['root', '0', '000']) assert.match(problemsOf(`RUNAS=${name}\n`)[0] ?? '', /all rights of root/);
  });
});

suite('values of keys', () => {
  test('are checked', () => {
    assert.match(problemsOf('WATCHDOG=rest\n')[0] ?? '', /did you mean "reset"/);
    assert.match(problemsOf('REQUIRES=a b/c\n')[0] ?? '', /"b\/c" is not a valid name/);
    assert.match(problemsOf('REQUIRES=db,web\n').at(-1) ?? '', /names the machine itself/);
  });
});

suite('[custom]', () => {
  test('an option that a key sets is reported with that key', () => {
    const { config, issues } = parseMachineConfig('[custom]\n-vnc :7\n--preconfig\n', { path: MACHINE_PATH });
    assert.ok(config);
    assert.deepEqual(issues.map(shorten), [
      '2: Warning: "-vnc" in [custom] overrides VNC, which qemu-init checks and relies on ' +
        '(set VNC= instead, which keeps other users out)',
      '3: Warning: "--preconfig" in [custom] stops every start before the machine is created (use: qemu-init start --preconfig)',
    ]);
  });

  test('what collides with qemu-init, does nothing or opens the machine to others is named', () => {
    const problemOf = (line: string): string => {
      const { issues } = parseMachineConfig(`[custom]\n${line}\n`, { path: MACHINE_PATH });
      return issues.map(shorten).join('\n');
    };
    for (const [line, pattern] of [
      ['-snapshot', /^2: "-snapshot" cannot be used .* \(add snapshot=on to DSKx\)$/],
      ['-enable-kvm', /^2: "-enable-kvm" cannot be used .* \(set KVM=on\)$/],
      ['-machine accel=kvm', /^2: "-machine" cannot be used/],
      ['-M q35,accel=kvm:tcg', /"-M" cannot be used .*\n.*overrides MACHINE/],
      ['-device help', /^2: "-device" cannot be used .*: QEMU prints it and exits/],
      ['-cpu ?', /QEMU prints it and exits/],
      ['-machine dumpdtb=x', /QEMU writes the device tree and exits/],
      ['-netdev tap,id=n,fd=3', /takes an open file .*, fd=3, and qemu-init passes on none/],
      ['-boot order=d,menu=on', /^2: Warning: "-boot" in \[custom\] has no effect.* \(set BOOT=cdrom,disk\)$/],
      ['-boot once=d', /Warning.* has no effect/],
      ['-boot dc', /Warning.* has no effect/],
      ['-accel kvm', /Warning.* has no effect/],
      ['-nographic', /Warning.* has no effect/],
      ['-no-shutdown', /Warning.* keeps QEMU .* after the guest has shut down/],
      ['-action reboot=shutdown,shutdown=pause', /Warning.* keeps QEMU/],
      ['-runas nobody', /Warning.* overrides RUNAS/],
      ['-S', /Warning.*\(use: qemu-init start --paused\)/],
      ['-chroot /tmp', /Warning/],
      ['-loadvm x', /Warning/],
      ['-semihosting', /Warning.* lets the guest read and write files of the host/],
      ['-semihosting-config enable=on,target=native', /Warning.* lets the guest read and write files of the host/],
      ['-readconfig x', /Warning.* that qemu-init does not check/],
      ['-incoming tcp:0:1', /Warning.* wait for an incoming migration/],
      ['--incoming "exec:touch /tmp/x"', /runs a shell command, "exec:touch \/tmp\/x"/],
      ['-qmp tcp:127.0.0.1:4444,server=on', /anyone who can reach the port of a monitor controls QEMU/],
      ['-gdb tcp::1234', /debugger's port/],
      ['-m 2G', /overrides RAM/],
      ['-cdrom x.iso', /overrides CDRx/],
      ['-device e1000 -snapshot', /"-snapshot" cannot be used/],
    ] as const) {
      assert.match(problemOf(line), pattern, line);
    }
    for (const line of [
      '-boot menu=on,splash-time=5000',
      '-machine hpet=off',
      '-m slots=2,maxmem=4G',
      '-name debug-threads=on',
      '-no-reboot',
      '-gdb unix:/run/gdb,server=on',
      '-netdev tap,id=n,script=no,downscript=no',
      '-netdev user,id=n,guestfwd=tcp:10.0.2.1:1-tcp:127.0.0.1:2',
      '-fw_cfg name=opt/x,string=-snapshot',
      '-set device.dsk1-dev.write-cache=off',
    ]) {
      assert.equal(problemOf(line), '', line);
    }
  });

  test('its lines are split into words as a shell does it, and nothing is expanded', () => {
    const { custom } = parseGood(
      'RAM=1G\n[custom]\n# comment\n-device qemu-xhci,id=usb\n\n--global  "a b"=\'$c\' \\$(x)\n-fw_cfg "x;y"\n',
    );
    assert.deepEqual(custom, [
      { args: ['-device', 'qemu-xhci,id=usb'], origin: { file: MACHINE_PATH, line: 4 } },
      { args: ['--global', 'a b=$c', '$(x)'], origin: { file: MACHINE_PATH, line: 6 } },
      { args: ['-fw_cfg', 'x;y'], origin: { file: MACHINE_PATH, line: 7 } },
    ]);
  });

  test('what cannot be an option is refused, and a key that strayed there is recognised', () => {
    assert.deepEqual(
      problemsOf('[custom]\nBRIDGE_IFNAME="br1"\ndevice x\n-daemonize\n--pidfile x\n-x \'y\n-x \\\n-x y -daemonize\n'),
      [
        '2: "BRIDGE_IFNAME="br1"" is not a QEMU option: it does not start with "-" (move BRIDGE_IFNAME= above [custom])',
        '3: "device x" is not a QEMU option: it does not start with "-" (write one option per line, as on the command line)',
        '4: "-daemonize" cannot be used in [custom]: qemu-init itself starts QEMU in the background',
        '5: "--pidfile" cannot be used in [custom]: qemu-init finds QEMU by its own pid file',
        `6: "-x 'y" cannot be split into words (A quote (') is not closed)`,
        '7: "-x \\" cannot be split into words (It ends in a backslash)',
        '8: "-daemonize" cannot be used in [custom]: qemu-init itself starts QEMU in the background',
      ],
    );
  });

  test('a comment after an option is passed to QEMU, with a warning', () => {
    const { config, issues } = parseMachineConfig('[custom]\n-device foo,bar=baz # x\n', { path: MACHINE_PATH });
    assert.deepEqual(config?.custom[0]?.args, ['-device', 'foo,bar=baz', '#', 'x']);
    assert.deepEqual(issues.map(formatIssue), [
      `${MACHINE_PATH}:2: Warning: "-device foo,bar=baz # x" contains what looks like a comment, which is passed to QEMU ` +
        '(put comments on separate lines)',
    ]);
  });
});

suite('defaults-qemu.cfg', () => {
  test('is overridden key by key, numbered ones number by number, and the origin tells whose it is', () => {
    const config = parseGood('RAM=1G\nNIC2=e1000\n', 'RAM=4G\nSMP=2\nNIC1=rtl8139\nNIC2=rtl8139\n');
    assert.equal(config.memoryBytes, 1024 ** 3);
    assert.equal(config.smp, '2');
    assert.deepEqual(
      config.nics.map(({ model }) => model),
      ['rtl8139', 'e1000'],
    );
    assert.deepEqual(config.origins.get('RAM'), { file: MACHINE_PATH, line: 1 });
    assert.deepEqual(config.origins.get('SMP'), { file: DEFAULTS_PATH, line: 2 });
  });

  test("an empty value in the machine's file takes the key back to its own default", () => {
    const config = parseGood('RAM=\nNIC1=\nPRECMD=\n', 'RAM=4G\nNIC1=e1000\nPRECMD=/bin/true\n');
    assert.equal(config.memoryBytes, 2 * 1024 ** 3);
    assert.deepEqual(config.nics, []);
    assert.deepEqual(config.preCommand, []);
  });

  test('relative paths start from its own folder', () => {
    const { config } = parseMachineConfig('DSK1=d\n', {
      path: '/srv/web/web-qemu.cfg',
      defaults: { path: DEFAULTS_PATH, text: 'FIRMWARE=./OVMF.fd\nPRECMD=./hook\nVNC=password=p\n' },
    });
    assert.equal(config?.disks[0]?.file, '/srv/web/d');
    assert.equal(config?.firmware, '/etc/qemu/OVMF.fd');
    assert.deepEqual(config?.preCommand, ['/etc/qemu/hook']);
    assert.deepEqual(config?.vnc.kind === 'tcp' && config.vnc.passwordFile, '/etc/qemu/p');
  });

  test('what can only be true of one machine is refused there, with its line', () => {
    assert.deepEqual(problemsOf('', 'NAME=x\nUUID=x\nDSK1=x\nCDR1=x\nNIC1=e1000,mac=de:ad:be:ef:00:01\n'), [
      `${DEFAULTS_PATH}:1: NAME cannot be set for all machines (set it in the machine's own file)`,
      `${DEFAULTS_PATH}:2: UUID cannot be set for all machines (set it in the machine's own file)`,
      `${DEFAULTS_PATH}:3: DSK1 cannot be set for all machines (set it in the machine's own file)`,
      `${DEFAULTS_PATH}:4: CDR1 cannot be set for all machines (set it in the machine's own file)`,
      `${DEFAULTS_PATH}:5: NIC1 mac cannot be set for all machines (set it in the machine's own file)`,
    ]);
  });

  test("problems of the machine's file come first", () => {
    assert.deepEqual(
      problemsOf('\n\n\nRAM=x\n', 'SMP=x\n').map((problem) => problem.split(' ')[0]),
      ['4:', `${DEFAULTS_PATH}:1:`],
    );
  });

  test('APPEND and INITRD there are for machines that boot a kernel', () => {
    assert.equal(parseGood('', 'APPEND=quiet\nINITRD=i\n').append, '');
    const config = parseGood('KERNEL=k\n', 'APPEND=quiet\nINITRD=i\n');
    assert.equal(config.append, 'quiet');
    assert.equal(config.initrd, '/etc/qemu/i');
  });

  test('its raw options come before those of the machine', () => {
    const { custom } = parseGood('[custom]\n-b\n', '[custom]\n-a\n');
    assert.deepEqual(
      custom.map(({ args }) => args),
      [['-a'], ['-b']],
    );
  });
});

suite('the name of the file', () => {
  test('gives the long name', () => {
    for (const path of ['/x/web-qemu.cfg', '/x/web.cfg', '/x/web.json', 'web']) assert.equal(longNameOf(path), 'web');
  });

  test('is refused when it gives none', () => {
    for (const path of ['/x/-qemu.cfg', '/x/a b-qemu.cfg', `/x/${'a'.repeat(41)}-qemu.cfg`]) {
      const { config, issues } = parseMachineConfig('', { path });
      assert.equal(config, undefined);
      assert.match(issues.map(formatIssue)[0] ?? '', /The file's name makes ".*" the machine's long name/);
    }
  });
});

suite('properties', () => {
  const key = fc.oneof(
    fc.constantFrom(...KEYS.map(({ name, family }) => `${name}${family ? '1' : ''}`)),
    fc.string({ maxLength: 8 }),
  );
  const value = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom(',', '=', '"', "'", '\\', ' ', 'a', ':', '[', ']', '1', '.', '/', '#') }),
    fc.constantFrom(
      ...KEYS.flatMap(({ values = [], options = [] }) => [...values, ...options.map(({ name }) => `x,${name}=1`)]),
    ),
  );
  const line = fc.oneof(
    fc.tuple(key, value).map(([left, right]) => `${left}=${right}`),
    fc.constant('[custom]'),
    fc.string(),
  );

  test('no text makes it throw: there is a machine, or an error with the file and a line of it', () => {
    fc.assert(
      fc.property(fc.array(line), fc.array(line), (lines, defaults) => {
        const { config, issues } = parseMachineConfig(lines.join('\n'), {
          path: MACHINE_PATH,
          defaults: { path: DEFAULTS_PATH, text: defaults.join('\n') },
        });
        assert.equal(
          config === undefined,
          issues.some(({ severity }) => severity === 'error'),
        );
        for (const issue of issues) {
          assert.ok(issue.file === MACHINE_PATH || issue.file === DEFAULTS_PATH);
          assert.match(formatIssue(issue), /^\P{C}+$/u);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('lines of 64 KiB of anything are read without hanging', () => {
    const texts = ['a,', ' ', ',,', '"', '\\', '1', 'x ', '=', '-', ':', "' ", '.'].flatMap((unit) => {
      return KEYS.map(({ name, family }) => `${name}${family ? '1' : ''}=x${unit.repeat(65_000 / unit.length)}x\n`);
    });
    for (const text of texts) parseMachineConfig(text, { path: MACHINE_PATH });
    parseMachineConfig(`${'1'.repeat(65_000)}x=1\n[custom]\n-x${' '.repeat(65_000)}y\nx${' '.repeat(65_000)}y\n`, {
      path: MACHINE_PATH,
    });
  });
});
