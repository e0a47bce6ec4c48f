import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importDefinition } from '../../../../src/provision/import/import.ts';
import { ARGV_DIR } from '../../../support/argv-configs.ts';
import { importText, linesOf, ofOutcome } from '../../../support/import-files.ts';

/** A host on which every file is there that a definition names. */
const files = { dir: ARGV_DIR, exists: () => true, read: () => undefined, storages: new Map<string, string>() };

function imported(text: string): ReturnType<typeof importDefinition> {
  return importDefinition(text, { path: '/srv/run.sh', files, etcDir: ARGV_DIR, format: 'command' });
}

test('a screen with a password is not shown to the network without it', () => {
  const { text, items } = imported('qemu-system-x86_64 -vnc 0.0.0.0:3,password=on');
  assert.match(text, /^VNC=127\.0\.0\.1:3$/m);
  assert.ok(items.some(({ key, outcome }) => key === 'VNC' && outcome === 'changed'));
});

test('options that stand for several others are understood', () => {
  const { text, items } = imported(
    'kvm -m 1024 -smp 2,sockets=1 -hda disk.qcow2 -cdrom /srv/d.iso -net nic,model=virtio -net user,hostfwd=tcp::2222-:22 \\\n -nographic -enable-kvm -boot d',
  );
  for (const line of [
    'RAM=1G',
    'SMP=2,sockets=1',
    'KVM=on',
    'BOOT=cdrom',
    'DSK1="/etc/qemu/disk.qcow2,if=ide"',
    'CDR1="/srv/d.iso"',
  ]) {
    assert.ok(text.split('\n').includes(line), `${line}\n${text}`);
  }
  assert.match(text, /^NIC1="virtio-net-pci,net=user,hostfwd=tcp::2222-:22"$/m);
  assert.deepEqual(
    items.filter(({ outcome }) => outcome === 'lost' || outcome === 'refused'),
    [],
  );
});

test('a node of the block layer and its device are one disk', () => {
  const { text } = imported(
    `qemu-system-x86_64 -blockdev '{"driver":"file","filename":"/srv/a.qcow2","node-name":"f","aio":"native"}' ` +
      `-blockdev '{"driver":"qcow2","file":"f","node-name":"d","cache":{"direct":true}}' -device virtio-blk-pci,drive=d,serial=S`,
  );
  assert.match(text, /^DSK1="\/srv\/a\.qcow2,format=qcow2,aio=native,cache=none,if=virtio,serial=S"$/m);
});

test('what is not understood is kept as it is, with all that it refers to', () => {
  const { text } = imported(
    'qemu-system-x86_64 -device pcie-root-port,id=p1 -object rng-builtin,id=r -device edu,id=e,bus=p1 -drive if=none,id=n,file=nbd://h/x -device virtio-blk-pci,drive=n',
  );
  const custom = text.slice(text.indexOf('[custom]')).split('\n');
  for (const line of [
    '-device pcie-root-port,id=p1',
    '-device edu,id=e,bus=p1',
    '-drive if=none,id=n,file=nbd://h/x',
    '-device virtio-blk-pci,drive=n',
  ]) {
    assert.ok(custom.includes(line), `${line}\n${text}`);
  }
  assert.doesNotMatch(text, /^DSK/m);
});

test('nothing of a command line is executed or expanded: what a shell would replace is refused', () => {
  for (const bad of ['$(touch "x y")', '`touch x`', '$HOME', '"$x"', '$' + '{x:-$(id)}', '~/x']) {
    const result = imported(`qemu-system-x86_64 -m 1G\n-name ${bad} -smp 2`);
    assert.equal(ofOutcome(result, 'refused').length, 1, bad);
    assert.match(ofOutcome(result, 'refused')[0] ?? '', /^-name .*(?:meaning for a shell|home folder)/s);
    assert.deepEqual(
      linesOf(result).filter((line) => /^(?:RAM|SMP|NAME)=/.test(line)),
      ['NAME=run', 'SMP=2', 'RAM=1G'],
    );
  }
  for (const bad of ["'x", '"x', '$(x', '`x']) {
    assert.throws(() => imported(`qemu-system-x86_64 -m 1G\n-name ${bad}`), /run\.sh:2: /, bad);
  }
});

test('the command that runs QEMU is found in a script, and the others are listed', () => {
  const result = imported(
    [
      '#!/bin/sh',
      'set -e; cd /srv/vm || exit 1',
      'qemu-img create -f qcow2 d.qcow2 20G',
      'if true; then QEMU_AUDIO_DRV=none exec sudo -u me taskset -c 0-3 \\',
      '  /usr/bin/qemu-system-x86_64 -m 2G \\',
      '  # a comment',
      '  -hda d.qcow2 2>&1 >"my log" </dev/null &',
      'fi',
      'echo -n started',
    ].join('\n'),
  );
  assert.match(result.text, /^RAM=2G$/m);
  assert.match(result.text, /^DSK1="\/etc\/qemu\/d\.qcow2,if=ide"$/m);
  assert.doesNotMatch(result.text, /^DSK2|\[custom\]/m);
  const lost = ofOutcome(result, 'lost').join('\n');
  for (const part of [
    'qemu-img create',
    'cd /srv/vm',
    'exit 1',
    'QEMU_AUDIO_DRV=none',
    'taskset',
    '2>&1',
    'my log',
    'echo',
  ]) {
    assert.ok(lost.includes(part), `${part} is not in\n${lost}`);
  }
});

test('a command line copied without its continuations, after a prompt, is one', () => {
  const { text } = imported('$ qemu-system-x86_64 -m 2G\n   -smp 2\n\n-nodefaults\n$ qemu-system-x86_64 -m 4G\n');
  assert.match(text, /^RAM=2G$/m);
  assert.match(text, /^SMP=2$/m);
});

test('each property of a device or an image is accounted for', () => {
  const result = imported(
    'qemu-system-x86_64 -nodefaults -device virtio-balloon-pci,id=b,bus=pci.0,deflate-on-oom=on ' +
      '-blockdev driver=file,filename=/srv/a.img,node-name=f,x-odd=1 -device virtio-blk-pci,drive=f,packed=on,write-cache=off ' +
      '-netdev user,id=n,smb=/x -device e1000,netdev=n,mitigation=off -accel tcg,tb-size=64',
  );
  const lost = ofOutcome(result, 'lost').join('\n');
  for (const part of ['deflate-on-oom=on', 'x-odd=1', 'packed=on', 'smb=/x', 'mitigation=off', 'tb-size=64']) {
    assert.ok(lost.includes(part), `${part} is not in\n${lost}`);
  }
  assert.ok(!/bus=|id=/.test(lost), lost);
  // A guest that believed in no cache would lose data with one.
  assert.match(result.text, /^DSK1="\/srv\/a\.img,format=raw,if=virtio,cache=writethrough"$/m);
});

test('an image that is not the whole file, or needs a key or a server, is kept as it is', () => {
  for (const [node, ...others] of [
    ['-blockdev driver=raw,file=f,node-name=d,offset=1M,size=1G', '-blockdev driver=file,filename=/a,node-name=f'],
    ['-blockdev driver=qcow2,file=f,node-name=d,encrypt.key-secret=s', '-blockdev driver=file,filename=/a,node-name=f'],
    [
      '-blockdev driver=raw,file=f,node-name=d',
      '-blockdev driver=iscsi,portal=h,target=t,lun=1,transport=tcp,node-name=f',
    ],
    ['-drive if=none,id=d,file.driver=ssh,file.path=/x'],
  ] as const) {
    const { text } = imported(`qemu-system-x86_64 ${[node, ...others].join(' ')} -device virtio-blk-pci,drive=d`);
    assert.doesNotMatch(text, /^DSK/m);
    for (const line of [node, ...others]) assert.ok(text.split('\n').includes(line), `${line}\n${text}`);
  }
});

test('a chain of nodes is one disk that names what it rests on', () => {
  const { text } = imported(
    'qemu-system-x86_64 -blockdev driver=file,filename=/srv/base.qcow2,node-name=bf -blockdev driver=qcow2,file=bf,node-name=b,read-only=on ' +
      '-blockdev driver=file,filename=/srv/top.qcow2,node-name=tf -blockdev driver=qcow2,file=tf,backing=b,node-name=t ' +
      '-device virtio-blk-pci,drive=t',
  );
  assert.match(text, /^DSK1="\/srv\/top\.qcow2,format=qcow2,backing=\/srv\/base\.qcow2,if=virtio"$/m);
  assert.doesNotMatch(text, /\[custom\]/);
});

test('what libvirt and others start QEMU with for themselves is not taken over', () => {
  const { text } = imported(
    `qemu-system-x86_64 -machine pc,memory-backend=pc.ram -m size=262144k -object '{"qom-type":"memory-backend-ram","id":"pc.ram","size":268435456}' ` +
      `-object '{"qom-type":"secret","id":"masterKey0","format":"raw","file":"/x"}' -no-shutdown -audiodev '{"id":"audio1","driver":"none"}'`,
  );
  assert.match(text, /^RAM=256M$/m);
  assert.doesNotMatch(text, /\[custom\]/);
  const numa = imported(
    `qemu-system-x86_64 -m 256 -smp 2 -object '{"qom-type":"memory-backend-ram","id":"n0","size":268435456,"host-nodes":[0,1],"policy":"bind"}' -numa node,cpus=0-1,memdev=n0`,
  );
  assert.match(numa.text, /^NUMA1="256M,cpus=0-1,hostnodes=0-1,policy=bind"$/m);
  // Half of the nodes would be another machine.
  const half = imported(
    'qemu-system-x86_64 -m 256 -smp 2 -object memory-backend-ram,id=n0,size=128M -numa node,cpus=0,memdev=n0 ' +
      '-object memory-backend-file,id=n1,size=128M,mem-path=/x -numa node,cpus=1,memdev=n1',
  );
  assert.doesNotMatch(half.text, /^NUMA/m);
});

test('memory that is shared or taken at the start in another way than ours is said', () => {
  const lost = (memory: string): string[] => {
    const object = `-object ${memory},id=m,size=256M`;
    const board = imported(`qemu-system-x86_64 -m 256 -machine q35,memory-backend=m ${object}`);
    const node = imported(`qemu-system-x86_64 -m 256 ${object} -numa node,memdev=m,cpus=0`);
    const said = (result: typeof board): string[] =>
      result.items.flatMap(({ source, outcome }) => (outcome === 'lost' ? [source] : []));
    assert.deepEqual(said(node), said(board), memory);
    return said(board);
  };
  const huge = 'memory-backend-memfd,hugetlb=on';
  assert.deepEqual(lost(`${huge},share=on,prealloc=on`), []);
  assert.deepEqual(lost(`${huge},share=off,prealloc=no`), ['-object share=off', '-object prealloc=no']);
  assert.deepEqual(lost('memory-backend-ram,share=off,prealloc=off'), []);
  assert.deepEqual(lost('memory-backend-ram,prealloc=on,prealloc-threads=4'), [
    '-object prealloc=on',
    '-object prealloc-threads=4',
  ]);
});

test('huge pages have the size of their mount, whatever option names it', () => {
  for (const [path, pages] of [
    ['/dev/hugepages', 'on'],
    ['/dev/hugepages2M', '2M'],
    ['/dev/hugepages-1G/libvirt/qemu', '1G'],
  ] as const) {
    const old = imported(`qemu-system-x86_64 -m 1G -mem-path ${path}`);
    const object = `-object memory-backend-file,id=m,size=1G,mem-path=${path}`;
    const recent = imported(`qemu-system-x86_64 -m 1G -machine q35,memory-backend=m ${object}`);
    for (const { text } of [old, recent]) assert.match(text, new RegExp(`^HUGEPAGES=${pages}$`, 'm'));
  }
});

test('a wrong option of a device is refused alone', () => {
  const result = imported(
    'qemu-system-x86_64 -drive file=/a,if=virtio,serial=123456789012345678901 -nic user,mac=52:54:00:00:00:01 -nic user,mac=52:54:00:00:00:01',
  );
  assert.equal(result.config.disks.length, 1);
  assert.equal(result.config.nics.length, 2);
  assert.deepEqual(
    ofOutcome(result, 'refused')
      .map((text) => text.replace(/:.*/s, ''))
      .toSorted(),
    ['mac=52', 'serial=123456789012345678901'],
  );
});

test('what is at another place here is listed: PCI places, a socket, a floppy drive to boot from', () => {
  const text =
    'qemu-system-x86_64 -vnc unix:/tmp/vnc -boot order=ac -device virtio-net-pci,netdev=n,addr=0x3 -netdev user,id=n';
  const imported = importText(text, '/srv/run.sh');
  assert.deepEqual(
    ofOutcome(imported, 'lost').map((item) => item.split(': ')[0]),
    ['-boot order=ac', '-device addr=0x3'],
  );
  assert.match(ofOutcome(imported, 'changed').join('\n'), /vnc unix:.*run-time folder/);
});

test('a device by its short or older name is the same device', () => {
  const { text } = imported(
    'qemu-system-x86_64 -M q35 -device virtio-net,netdev=n,mac=52:54:00:00:00:01 -netdev user,id=n -device virtio-balloon ' +
      '-device virtio-rng -drive file=/a,if=none,id=d,driver=raw,discard=on,read-only=on -device virtio-blk,drive=d ' +
      '-drive file=/b.iso,if=none,id=cd1 -device ide-drive,drive=cd1',
  );
  for (const line of [
    'NIC1="virtio-net-pci,net=user,mac=52:54:00:00:00:01"',
    'BALLOON=on',
    'RNG=on',
    'DSK1="/a,format=raw,discard=unmap,readonly=on,if=virtio"',
    'CDR1="/b.iso"',
  ]) {
    assert.ok(text.includes(`\n${line}\n`), `${line} is not in\n${text}`);
  }
  assert.doesNotMatch(text, /\[custom\]/);
});

test('files are where QEMU was started, not where the cfg is', () => {
  const there = { '/srv/fw/code.bin': '', '/srv/vars.fd': '' };
  const { text } = importText(
    'qemu-system-x86_64 -kernel boot/bzImage -initrd initrd -drive if=pflash,file=/c,readonly=on -drive if=pflash,file=vars.fd ' +
      '-virtfs local,path=share,mount_tag=s,security_model=mapped',
    '/srv/run.sh',
    there,
  );
  assert.match(text, /^KERNEL=\/srv\/boot\/bzImage$/m);
  assert.match(text, /^INITRD=\/srv\/initrd$/m);
  assert.match(text, /^FIRMWARE=uefi,vars=\/srv\/vars.fd$/m);
  assert.match(text, /^SHARE1="\/srv\/share,/m);
  const named = (bios: string): string | undefined =>
    /^FIRMWARE=(.*)$/m.exec(importText(`qemu-system-x86_64 -bios ${bios}`, '/srv/run.sh', there).text)?.[1];
  assert.equal(named('fw/code.bin'), '/srv/fw/code.bin');
  assert.equal(named('qboot'), '/usr/share/qemu/qboot');
});

test('each QEMU has its own default machine and card', () => {
  const lineOf = (command: string, key: string): string | undefined =>
    new RegExp(`^${key}="?([^"\\n]*)`, 'm').exec(imported(command).text)?.[1];
  for (const [command, board, card] of [
    ['qemu-system-sparc64 -m 256', 'sun4u', 'sunhme,net=user'],
    ['qemu-system-riscv64 -M virt', 'virt', undefined],
    ['qemu-system-aarch64 -M virt', 'virt', 'virtio-net-pci,net=user'],
    ['qemu-system-riscv64 -m 256', 'spike', undefined],
    ['qemu-system-riscv64 -M virt -nic user', 'virt', 'virtio-net-pci,net=user'],
  ] as const) {
    assert.equal(lineOf(command, 'MACHINE'), board, command);
    assert.equal(lineOf(command, 'NIC1'), card, command);
  }
  const none = imported('qemu-system-arm -m 256');
  assert.match(ofOutcome(none, 'refused').join(), /does not start without -machine/);
});

test('the name of the program stands for KVM in the distributions that have it', () => {
  assert.match(imported('kvm -m 256 -cpu host').text, /^KVM=on$/m);
  assert.match(imported('/usr/libexec/qemu-kvm -m 256 -machine q35,accel=tcg').text, /^KVM=off$/m);
});

test('a running machine of Proxmox VE is one of plain QEMU', () => {
  const result = imported("/usr/bin/kvm -id 100 -machine 'type=pc-q35-8.1+pve0' -m 512");
  assert.match(result.text, /^MACHINE=pc-q35-8.1$/m);
  assert.doesNotMatch(result.text, /\[custom\]/);
});

test('a device of a drive that is refused is refused as well, and names that a shell would look for', () => {
  const result = imported(
    'qemu-system-x86_64 -drive file=$IMG,if=none,id=d -device ide-hd,drive=d -cdrom out/live-*.iso -m 256',
  );
  assert.deepEqual(
    ofOutcome(result, 'refused').map((item) => item.replace(/.*: /, '')),
    [
      '"$" has a meaning for a shell, and nothing is executed or expanded',
      'a shell puts names of files in place of "*"',
      'needs "d", which is refused',
    ],
  );
  assert.doesNotMatch(result.text, /\[custom\]|DSK|CDR/);
});

test('options that QEMU had are read for what they meant', () => {
  const { text } = imported(
    'qemu-system-x86_64 -nodefconfig -enable-kvm -soundhw hda -balloon none -mem-path /dev/hugepages -mem-prealloc ' +
      '-net nic -net user -redir tcp:2222::22 -nographic -serial none -rtc clock=host -sdl',
  );
  for (const line of ['KVM=on', 'SOUND=hda', 'BALLOON=off', 'HUGEPAGES=on', 'SERIAL=off', 'VGA=none']) {
    assert.ok(text.includes(`\n${line}\n`), `${line} is not in\n${text}`);
  }
  assert.match(text, /^NIC1="e1000,net=user,hostfwd=tcp::2222-:22"$/m);
  assert.doesNotMatch(text, /\[custom\]/);
  const odd = imported(
    'qemu-system-x86_64 -soundhw sb16,ac97 -mem-path /x -redir odd -balloon virtio -mem-prealloc -soundhw es1370 -m 64',
  );
  assert.match(odd.text, /^SOUND=ac97$/m);
  assert.match(odd.text, /^BALLOON=on$/m);
  assert.match(odd.text, /^-mem-path \/x$/m);
});

test('a drive that its device names is one disk, also without if=none', () => {
  const { config } = imported('qemu-system-x86_64 -drive file=/a,id=d,format=raw -device virtio-blk-pci,drive=d');
  assert.deepEqual(
    config.disks.map(({ interface: bus }) => bus),
    ['virtio'],
  );
});

test('a command without a processor has that of QEMU, not that of the host', () => {
  assert.match(imported('qemu-system-x86_64 -m 64').text, /^CPU=qemu64$/m);
  assert.match(imported('qemu-system-i386 -m 64').text, /^CPU=qemu32$/m);
  assert.doesNotMatch(imported('qemu-system-riscv64 -m 64').text, /^CPU=/m);
});
