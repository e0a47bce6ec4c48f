import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importText, linesOf, ofOutcome } from '../../../support/import-files.ts';

const STORAGES = `dir: local
	path /var/lib/vz
	content iso,images

lvmthin: local-lvm
	thinpool data
	vgname pve

zfspool: tank
	pool rpool/data

rbd: ceph
	pool rbd
`;

const imported = (text: string, storages = new Map<string, string>()): ReturnType<typeof importText> =>
  importText(text, '/etc/pve/qemu-server/105.conf', { '/etc/pve/storage.cfg': STORAGES }, storages);

const FULL = `#Main%20shop
agent: 1
balloon: 1024
bios: ovmf
boot: order=scsi0;ide2;net0
cores: 2
cpu: x86-64-v2-AES,flags=+pcid
efidisk0: local:105/vm-105-disk-0.qcow2,efitype=4m,pre-enrolled-keys=1,size=528K
ide2: local:iso/d.iso,media=cdrom,size=600M
machine: pc-q35-9.2+pve1
memory: 2048
meta: creation-qemu=9.2.0,ctime=1685923347
name: shop
net0: virtio=BC:24:11:A6:02:F4,bridge=vmbr0,firewall=1,tag=5
numa: 0
onboot: 1
ostype: l26
scsi0: local-lvm:vm-105-disk-1,discard=on,iothread=1,size=32G,ssd=1
scsi1: tank:vm-105-disk-2,backup=0
scsihw: virtio-scsi-single
smbios1: uuid=f039b707-e20b-481d-9393-bd9fd128850d
sockets: 2
startup: order=3,up=30,down=120
vga: qxl
vmgenid: fbb05185-22d9-4b3c-98ed-bce8d2ae82da
sshkeys: ssh-rsa%20AAA
[PENDING]
memory: 4096
[before]
memory: 1024
snaptime: 1
`;

test('what a machine of Proxmox VE states is in the cfg', () => {
  const lines = linesOf(imported(FULL));
  for (const line of [
    'NAME=shop',
    'DESC="Main shop"',
    'RAM=2G',
    'SMP=4,sockets=2,cores=2,threads=1',
    'MACHINE=pc-q35-9.2',
    'FIRMWARE=uefi-secure',
    'UUID=f039b707-e20b-481d-9393-bd9fd128850d',
    'VMGENID=fbb05185-22d9-4b3c-98ed-bce8d2ae82da',
    'AUTOSTART=on',
    'BOOTORDER=3',
    'BOOTDELAY=30',
    'STOPDELAY=120',
    'QGA=on',
    'VGA=qxl',
    'SPICE=on',
    'DSK1="/dev/pve/vm-105-disk-1,format=raw,if=scsi,bootindex=0,discard=unmap,ssd=on"',
    'DSK2="/dev/zvol/rpool/data/vm-105-disk-2,format=raw,if=scsi"',
    'CDR1="/var/lib/vz/template/iso/d.iso,optional=on,bootindex=1"',
    'NIC1="virtio-net-pci,bridge=vmbr0,mac=BC:24:11:A6:02:F4,bootindex=2,vlan=5"',
  ]) {
    assert.ok(lines.includes(line), `${line} is not in\n${lines.join('\n')}`);
  }
});

test('every key of the file, of pending changes and of snapshots is accounted for', () => {
  const { items } = imported(FULL);
  for (const [index, line] of FULL.split('\n').entries()) {
    if (line === '') continue;
    assert.ok(
      items.some((item) => item.line === index + 1),
      `line ${index + 1}: ${line}`,
    );
  }
  const lost = ofOutcome(imported(FULL), 'lost').join('\n');
  for (const part of ['firewall=1', 'iothread=1', 'backup=0', '[PENDING]', '[before]', 'sshkeys', 'creation-qemu']) {
    assert.ok(lost.includes(part), `${part} is not in\n${lost}`);
  }
});

test('a file with no more than a memory size has what Proxmox VE gives a machine by itself', () => {
  const lines = linesOf(imported('memory: 1024\n'));
  for (const line of [
    'NAME=vm105',
    'MACHINE=pc',
    'SMP=1,sockets=1,cores=1,threads=1',
    'CPU=kvm64',
    'FIRMWARE=bios',
    'USB=on',
    'VGA=std',
  ]) {
    assert.ok(lines.includes(line), `${line} is not in\n${lines.join('\n')}`);
  }
});

test('a volume on storage without files is refused, and one on a storage that is named is found', () => {
  assert.match(ofOutcome(imported('memory: 1024\nscsi0: ceph:vm-105-disk-0,size=1G\n'), 'refused').join(), /"rbd"/);
  assert.match(
    ofOutcome(imported('memory: 1024\nscsi0: nfs1:105/vm-105-disk-0.qcow2\n'), 'refused').join(),
    /--storage nfs1=PATH/,
  );
  const found = imported('memory: 1024\nscsi0: nfs1:105/vm-105-disk-0.qcow2\n', new Map([['nfs1', '/mnt/n']]));
  assert.match(found.text, /^DSK1="\/mnt\/n\/images\/105\/vm-105-disk-0\.qcow2,format=qcow2,if=scsi"$/m);
});

test('names with ".." never lead out of a storage', () => {
  for (const volume of ['local:../../../etc/shadow', '/var/lib/../../etc/shadow', 'local:iso/../../x']) {
    const result = imported(`memory: 1024\nscsi0: ${volume}\n`);
    assert.equal(ofOutcome(result, 'refused').length, 1, volume);
    assert.doesNotMatch(result.text, /^DSK/m);
  }
});

test('a locked machine, a template and a line that is no entry are refused', () => {
  const result = imported('memory: 1024\nlock: backup\ntemplate: 1\n$(touch x)\n');
  assert.equal(ofOutcome(result, 'refused').length, 3);
});

test('values that are the default of Proxmox VE lose nothing, and the others become keys or options', () => {
  const plain = imported(
    'memory: 1024\nacpi: 1\nreboot: 1\nfreeze: 0\ntdf: 0\nnuma: 0\ntemplate: 0\ncpulimit: 0\nstartdate: now\nscsihw: virtio-scsi-pci\nkvm: 1\nlocaltime: 1\naudio0: device=AC97,driver=none\nwatchdog: action=poweroff\n',
  );
  assert.deepEqual(ofOutcome(plain, 'refused', 'lost'), []);
  for (const line of ['KVM=auto', 'RTC=localtime', 'SOUND=ac97,backend=none', 'WATCHDOG=poweroff']) {
    assert.ok(linesOf(plain).includes(line), `${line} is not in\n${plain.text}`);
  }
  const other = imported(
    'memory: 1024\nacpi: 0\nreboot: 0\nfreeze: 1\ntdf: 1\ncpulimit: 1.5\nstartdate: 2020-01-01\nscsihw: lsi\nkvm: 0\nwatchdog: model=ib700\n',
  );
  for (const line of ['KVM=off', 'RTC=utc,driftfix=slew', 'LIMIT_CPU=150%', 'WATCHDOG=reset', '-no-reboot']) {
    assert.ok(linesOf(other).includes(line), `${line} is not in\n${other.text}`);
  }
  assert.match(ofOutcome(other, 'lost').join('\n'), /start --paused[\s\S]*the clock begins with the time of the host/);
});
