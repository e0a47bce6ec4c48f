import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exportLibvirt } from '../../../../src/provision/export/libvirt/domain.ts';
import { configOf } from '../../../support/argv-configs.ts';

function xml(text: string, macs: readonly string[] = []): { text: string; lost: readonly string[] } {
  const { text: written, lost } = exportLibvirt({ config: configOf(text), formats: new Map([[1, 'qcow2']]), macs });
  return { text: written, lost: lost.map(({ key }) => key) };
}

for (const [text, wanted] of [
  ['CPU=host', "<cpu mode='host-passthrough'/>"],
  ['CPU=max', "<cpu mode='maximum'/>"],
  ['CPU=qemu64,hv-relaxed=on,kvm=off', "<model fallback='forbid'>qemu64</model>"],
  ['SMP=cpus=2,maxcpus=4,cores=2', "<vcpu current='2'>4</vcpu>"],
  ['SMP=cores=2,threads=2', "<topology sockets='1' dies='1' cores='2' threads='2'/>"],
  ['VMGENID=on', '<genid/>'],
  ['VMGENID=6ba7b810-9dad-41d1-80b4-00c04fd430c8', '<genid>6ba7b810'],
  ['FIRMWARE=/x/bios.bin', "<loader readonly='yes' type='rom'>/x/bios.bin</loader>"],
  ['FIRMWARE=uefi,vars=/x/vars.fd', '<nvram>/x/vars.fd</nvram>'],
  ['KERNEL=/k\nINITRD=/i\nAPPEND="a=b"', '<cmdline>a=b</cmdline>'],
  ['TGTARCH=/opt/qemu-system-aarch64\nMACHINE=virt', "<type arch='aarch64' machine='virt'>hvm</type>"],
  ['VNC=off\nVGA=none\nSERIAL=off\nQGA=off\nBALLOON=off\nRNG=off', "<memballoon model='none'/>"],
  ['VNC=unix', "<listen type='socket'/>"],
  ['DSK1=a.img,bootindex=3', "<boot order='4'/>"],
  ['DSK1=a.img', "type='qcow2'"],
  [
    'DSK1=a.img,format=raw,if=virtio,queues=2\nDSK2=b.img,format=raw,if=nvme\nDSK3=c.img,format=raw,if=ide',
    "queues='2'",
  ],
  ['CDR1=a.iso,optional', "startupPolicy='optional'"],
  ['NIC1=virtio,net=none', "<link state='down'/>"],
  ['NIC1=virtio,net=passt', "<backend type='passt'/>"],
  ['SOUND=hda', "<sound model='ich9'/>"],
  ['VGA=vmware', "<model type='vmvga'/>"],
  ['WATCHDOG=reset', "<watchdog model='i6300esb' action='reset'/>"],
  ['ONPANIC=shutdown', "<panic model='isa'/>"],
  ['S4=off', "<suspend-to-disk enabled='no'/>"],
] as const) {
  test(`${text.replaceAll('\n', '; ')} is written as ${wanted}`, () => {
    const written = xml(`${text}\n`, ['52:54:00:00:00:01']).text;
    assert.ok(written.includes(wanted), written);
  });
}

test('what another program would have to do is listed', () => {
  const { lost } = xml(
    'CPU=qemu64,hv-relaxed=on\nSTOPDELAY=5\nRESTART=always\nPRECMD=/bin/true\nRUNAS=qemu\nNETIF=managed\nRAM=1G\nNUMA1=1G,cpus=0\nSMBIOS1=system,product=x\nDSK1=a.img,format=luks,key=/k\nVNC=on,password=/p\n',
  );
  assert.deepEqual(lost.toSorted(), [
    'CPU',
    'DSK1',
    'NUMA1',
    'PRECMD',
    'RESTART',
    'RUNAS',
    'SMBIOS1',
    'STOPDELAY',
    'VNC',
  ]);
});

test('what a domain of libvirt is not given is listed', () => {
  const keys = ['MAXRAM=8G', 'LIMIT_CPU=50%', 'LIMIT_MEMORY=3G', 'CLOUDINIT=/x', 'OS=debian12'];
  const { lost } = xml(keys.join('\n'));
  assert.deepEqual(lost.toSorted(), keys.map((line) => line.split('=')[0]).toSorted());
});

test('architectures have the names that libvirt gives them', () => {
  assert.match(xml('TGTARCH=qemu-system-i386').text, /<type arch='i686'/);
  assert.match(xml('TGTARCH=qemu-system-arm\nMACHINE=virt').text, /<type arch='armv7l'/);
  assert.match(xml('TGTARCH=qemu-system-aarch64\nMACHINE=virt').text, /<type arch='aarch64'/);
});

test('limits, processors of the host and its devices are written', () => {
  const { text, lost } = xml(
    'CPUSET=0-1\nDSK1=a,format=raw,rate=1M\nNIC1=virtio-net-pci,rate=1M\nPCI1=0000:03:00.1\nUSB1=046d:c52b\nUSB2=1-2',
  );
  for (const piece of [
    "<vcpu cpuset='0-1'>1</vcpu>",
    '<total_bytes_sec>1048576</total_bytes_sec>',
    "<inbound average='1024'/>",
    "<address domain='0x0000' bus='0x03' slot='0x00' function='0x1'/>",
    "<vendor id='0x046d'/>",
  ]) {
    assert.ok(text.includes(piece), `${piece} is not in\n${text}`);
  }
  assert.deepEqual(
    lost.map((line) => line),
    ['USB2'],
  );
});

test('options of devices that a domain does not have are listed', () => {
  const { text, lost } = xml(
    'DSK1=a,format=qcow2,iothread=on,backing=b\nNIC1=virtio-net-pci,net=user,hostfwd=tcp:127.0.0.1:2222-:22\n' +
      'NIC2=virtio-net-pci,lock=on,ip=10.0.0.5\nSMBIOS1=system,serial=x\nVNC=unix',
  );
  assert.deepEqual(lost, ['SMBIOS1', 'DSK1', 'DSK1', 'NIC1', 'NIC2']);
  // libvirt refuses a domain that has texts of the firmware announced, but no texts.
  assert.doesNotMatch(text, /smbios/);
  assert.match(text, /<listen type='socket'\/>/);
});
