import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { processorsOf } from '../../../src/config/hardware/hardware.ts';
import { renderMachineConfig } from '../../../src/config/render-machine.ts';
import { parseGood, problemsOf } from './support.ts';

/** Lines that read back as they are. */
function assertKept(text: string): void {
  assert.equal(renderMachineConfig(parseGood(text)), text);
}

suite('RTC', () => {
  test('is utc, and local time where OS is a Windows', () => {
    for (const os of ['', 'debian', 'windmill', 'winamp', 'darwin', 'l26']) {
      assert.deepEqual(parseGood(`OS=${os}\n`).rtc, { base: 'utc', driftFix: 'none' }, os);
    }
    for (const os of ['windows', 'Windows Server 2022', 'windows11', 'win10', 'w2k8', 'wxp', 'WinXP', 'win-11']) {
      assert.deepEqual(parseGood(`OS=${os}\n`).rtc, { base: 'localtime', driftFix: 'none' }, os);
    }
  });

  test('that is set counts more than OS, also in the defaults of the host', () => {
    assert.equal(parseGood('OS=windows11\nRTC=utc\n').rtc.base, 'utc');
    const config = parseGood('OS=windows11\n', 'RTC="utc,driftfix=slew"\n');
    assert.deepEqual(config.rtc, { base: 'utc', driftFix: 'slew' });
    assert.equal(renderMachineConfig(config), 'OS=windows11\nRTC=utc,driftfix=slew\n');
  });

  test('takes nothing else', () => {
    assert.match(problemsOf('RTC=local\n')[0] ?? '', /localtime, not "local"/);
    assert.match(problemsOf('RTC=utc,driftfix=fast\n')[0] ?? '', /driftfix must be none or slew, not "fast"/);
  });
});

suite('SOUND', () => {
  test('is off, a card, or on for the usual one', () => {
    assert.equal(parseGood('').sound, undefined);
    assert.equal(parseGood('SOUND=no\n').sound, undefined);
    assert.deepEqual(parseGood('SOUND=yes\n').sound, { card: 'hda', backend: 'none' });
    assert.deepEqual(parseGood('SOUND=ac97,backend=pa\n').sound, { card: 'ac97', backend: 'pa' });
    assert.match(problemsOf('SOUND=sb64\n')[0] ?? '', /"sb64"/);
    assert.match(problemsOf('SOUND=off,backend=pa\n')[0] ?? '', /without a sound card/);
    assert.match(problemsOf('SOUND=on,backend=spice\n')[0] ?? '', /backend=spice, but SPICE is off/);
  });
});

suite('NUMA', () => {
  const nodes = 'SMP=4\nRAM=3G\n';

  test('nodes have all of the memory and each processor once', () => {
    assertKept(`${nodes}NUMA1="1G,cpus=0,cpus=3"\nNUMA2="2G,cpus=1-2,hostnodes=0-1,policy=interleave"\n`);
    const problems = problemsOf(`${nodes}NUMA1=1G,cpus=0-1\nNUMA2=1G,cpus=1,cpus=4\n`);
    assert.deepEqual(problems, [
      '3: The NUMA nodes have 2G of memory in total, but RAM is 3G',
      '3: Processor 2, 3 of SMP is in no NUMA node (add it to cpus= of a node)',
      '4: NUMA2 has processor 1, which is also in NUMA1',
      '4: NUMA2 has processor 4, but the last one of SMP is 3',
    ]);
  });

  test('may have processors that MAXSMP leaves room for', () => {
    assertKept('SMP=2\nRAM=2G\nMAXSMP=4\nNUMA1="1G,cpus=0-1"\nNUMA2="1G,cpus=2-3"\n');
  });

  test('count the processors that can be plugged in, too', () => {
    parseGood('SMP=cpus=2,maxcpus=4\nRAM=1G\nNUMA1=1G,cpus=0-3\n');
    assert.match(problemsOf('SMP=cpus=2,maxcpus=4\nRAM=1G\nNUMA1=1G,cpus=0-1\n')[0] ?? '', /Processor 2, 3 of SMP/);
  });

  test('have numbers and ranges', () => {
    for (const range of ['a', '3-1', '1-', '0,1', '']) {
      assert.notEqual(problemsOf(`NUMA1=2G,cpus=${range}\n`).length, 0, range);
    }
    assert.match(problemsOf('NUMA1=2G,cpus=0,policy=bind\n')[0] ?? '', /policy= without hostnodes=/);
    assert.match(problemsOf('NUMA1=2X,cpus=0\n')[0] ?? '', /"2X"/);
  });
});

suite('SMBIOS', () => {
  test('has the texts of its table, commas and all', () => {
    assertKept('SMBIOS1="system,manufacturer=Acme,, Inc.,product=a=b"\nSMBIOS2="oem,value=one,value=two"\n');
  });

  test('has no texts of other tables, and no table twice', () => {
    assert.match(
      problemsOf('SMBIOS1=system,vendor=x\n')[0] ?? '',
      /system has no option vendor=; known options: manufacturer, product/,
    );
    assert.match(problemsOf('SMBIOS1=bios\n')[0] ?? '', /bios has no options; known options: vendor/);
    assert.match(problemsOf('SMBIOS1=sistem,product=x\n')[0] ?? '', /system/);
    assert.match(problemsOf('SMBIOS1=bios,release=1\n')[0] ?? '', /release must be two numbers/);
    assert.match(problemsOf('SMBIOS1=bios,release=1.256\n')[0] ?? '', /release must be two numbers/);
    assert.deepEqual(problemsOf('SMBIOS1=bios,vendor=a\nSMBIOS2=bios,vendor=b\n'), [
      '2: SMBIOS2 is bios, like SMBIOS1; only oem may be repeated',
    ]);
    parseGood('SMBIOS1=oem,value=a\nSMBIOS2=oem,value=b\n');
  });
});

test('KEYMAP is a layout that QEMU has, and USB is not USB1', () => {
  assertKept('USB=on\nKEYMAP=de-ch\n');
  assert.match(problemsOf('KEYMAP=german\n')[0] ?? '', /"german"/);
  assert.equal(parseGood('USB=on\n').usbInput, true);
  assert.deepEqual(parseGood('USB1=046d:c52b\n').usb, [{ index: 1, device: '046d:c52b', optional: false }]);
  assert.match(
    problemsOf('USB01=x\n')[0] ?? '',
    /"USB01" has a wrong number: numbers start at 1 \(did you mean "USB1"/,
  );
});

suite('options of disks', () => {
  test('are for the controllers that have them', () => {
    assertKept(
      'DSK1="/a,discard=unmap,detect-zeroes=unmap,iothread=on,queues=4,bootindex=3"\nDSK2="/b,if=scsi,ssd=on"\n',
    );
    assert.deepEqual(problemsOf('DSK1=a,if=scsi,iothread=on,queues=2\nDSK2=b,ssd=on\nDSK3=c,detect-zeroes=unmap\n'), [
      '1: DSK1 iothread=on is for if=virtio, not if=scsi',
      '1: DSK1 queues= is for if=virtio, not if=scsi',
      '2: DSK2 ssd=on is for if=scsi, sata and ide, not if=virtio',
      '3: DSK3 detect-zeroes=unmap needs discard=unmap',
    ]);
  });

  test('a place in the boot order is that of one device', () => {
    assert.deepEqual(problemsOf('DSK1=a,bootindex=1\nCDR1=empty,bootindex=1\nNIC1=e1000,bootindex=2\n'), [
      '2: CDR1 has the same bootindex=1 as DSK1',
    ]);
  });
});

test('VMGENID is off, worked out, or a UUID', () => {
  assert.equal(parseGood('').vmGenerationId, undefined);
  assert.equal(parseGood('VMGENID=on\n').vmGenerationId, 'on');
  assertKept('VMGENID=6ba7b810-9dad-41d1-80b4-00c04fd430c8\n');
  assert.match(problemsOf('VMGENID=auto\n')[0] ?? '', /"auto"/);
});

test('HPET and MACHINE must not contradict each other', () => {
  assert.match(
    problemsOf('MACHINE=q35,hpet=on\nHPET=off\n')[0] ?? '',
    /HPET is set, but MACHINE "q35,hpet=on" also has hpet=/,
  );
  parseGood('MACHINE=q35,hpet=off\n');
});

suite('room, rates and limits', () => {
  test('read back as they are', () => {
    assertKept('SMP=2\nRAM=1G\nMAXSMP=8\nMAXRAM=4G\n');
    // The levels are those of all processors that there is room for.
    assertKept('SMP=cpus=2,sockets=2,cores=2,threads=1\nMAXSMP=4\n');
    assertKept('SMP=cpus=3,cores=2\nMAXSMP=8\n');
    // Levels alone are what the machine begins with, not all that there is room for.
    assert.equal(processorsOf(parseGood('SMP=sockets=1,cores=2\nMAXSMP=8\n').smp), 2);
    assertKept('DSK1="/a.img,rate=50M"\nNIC1="virtio-net-pci,rate=1536K"\n');
    assertKept('LIMIT_CPU=150%\nLIMIT_MEMORY=3G\nLIMIT_IO=100M\nCPUSET=0-3,8\n');
    assert.equal(parseGood('LIMIT_CPU=0.25\n').limits?.cpuPercent, 25);
    assert.equal(parseGood('').limits, undefined);
  });

  test('must fit the machine', () => {
    const wrong: [text: string, problem: RegExp][] = [
      ['RAM=2G\nMAXRAM=1G\n', /MAXRAM 1G is less than RAM 2G/],
      ['SMP=4\nMAXSMP=2\n', /MAXSMP 2 is less than SMP 4/],
      ['SMP=2,sockets=2,cores=2,threads=1\n', /SMP .* has levels for 4 processors, not 2$/],
      ['SMP=2,sockets=1,cores=2,threads=1\nMAXSMP=4\n', /SMP .* has levels for 2 processors, not 4 \(MAXSMP\)/],
      ['SMP=2,maxcpus=4\nMAXSMP=4\n', /SMP has maxcpus= as well/],
      ['SMP=cpus=2,cores=2\nMAXSMP=5\n', /the 5 processors of MAXSMP cannot be divided by cores=2/],
      ['RAM=2G\nLIMIT_MEMORY=2G\n', /LIMIT_MEMORY 2G must be more than RAM 2G/],
      ['LIMIT_CPU=half\n', /LIMIT_CPU must be .* not "half"/],
      ['CPUSET=3-1\n', /CPUSET must be .* not "3-1"/],
      ['DSK1=a.img,rate=fast\n', /rate must be a number of bytes a second .* not "fast"/],
      ['NIC1=virtio,net=user,rate=1M\n', /NIC1 has rate= with net=user/],
    ];
    for (const [text, problem] of wrong) assert.match(problemsOf(text).join('\n'), problem);
  });
});
