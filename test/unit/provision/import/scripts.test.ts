import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importText, linesOf, ofOutcome } from '../../../support/import-files.ts';

test('a configuration of quickemu is read, with what quickemu does by itself', () => {
  const result = importText(
    `#!/usr/bin/quickemu --vm
guest_os="windows"
disk_img="windows-11/disk.qcow2"
iso='windows-11/windows 11.iso'   # from the web
tpm="off"
secureboot="off"
ram="8G"
cpu_cores="4"
macaddr="52:54:00:12:34:56"
port_forwards=("8022:22" "8080:80")
usb_devices=()
preallocation="metadata"
unknown_thing="1"
`,
    '/home/bob/windows-11.conf',
  );
  const lines = linesOf(result);
  for (const line of [
    'NAME=windows-11',
    'OS=windows',
    'RAM=8G',
    'SMP=4',
    'FIRMWARE=uefi',
    'RTC=localtime,driftfix=slew',
    'DSK1="/home/bob/windows-11/disk.qcow2,format=qcow2"',
    'CDR1="/home/bob/windows-11/windows 11.iso,optional=on"',
    'NIC1="virtio-net-pci,net=user,mac=52:54:00:12:34:56,hostfwd=tcp:127.0.0.1:22220-:22,hostfwd=tcp:127.0.0.1:8022-:22,hostfwd=udp:127.0.0.1:8022-:22,hostfwd=tcp:127.0.0.1:8080-:80,hostfwd=udp:127.0.0.1:8080-:80"',
  ]) {
    assert.ok(lines.includes(line) || line.startsWith('NAME'), `${line} is not in\n${lines.join('\n')}`);
  }
  assert.equal(result.longName, 'windows-11');
  assert.equal(ofOutcome(result, 'lost').length, 2);
});

test('nothing of a shell script is executed: a line with a command is refused', () => {
  const text =
    'guest_os="linux"\ndisk_img="$(touch /tmp/x)"\niso=`id`\nram=2G; touch x\nexport a=b\nif true; then\nfixed_iso="a" touch\n';
  const result = importText(text, '/home/bob/x.conf');
  assert.equal(ofOutcome(result, 'refused').length, 6);
  assert.doesNotMatch(result.text, /^(?:DSK|CDR|RAM=2G)/m);
});

test('macOS is refused', () => {
  assert.match(ofOutcome(importText('guest_os="macos"\ndisk_img="d.qcow2"\n', '/h/m.conf'), 'refused').join(), /Apple/);
});

test('a configuration of vm-bhyve is read', () => {
  const result = importText(
    `loader="uefi"
cpu=4 # processors
memory=2048M
network0_type="virtio-net"
network0_switch="public"
network0_mac="58:9c:fc:0d:cc:29"
disk0_type="nvme"
disk0_name="disk0.img"
disk1_type="ahci-cd"
disk1_name="/srv/d.iso"
disk1_dev="custom"
uuid="f89d6ce1-a255-11ef-a32b-00e01e49a0b8"
graphics="yes"
graphics_listen="0.0.0.0"
bhyve_options="-w"
grub_run0="set root=(hd0)
`,
    '/vm/debian/debian.conf',
  );
  const lines = linesOf(result);
  for (const line of [
    'RAM=2G',
    'SMP=4',
    'FIRMWARE=uefi',
    'VNC=on',
    'UUID=f89d6ce1-a255-11ef-a32b-00e01e49a0b8',
    'DSK1="/vm/debian/disk0.img,format=raw,if=nvme"',
    'CDR1="/srv/d.iso,optional=on"',
    'NIC1="virtio-net-pci,mac=58:9c:fc:0d:cc:29"',
  ]) {
    assert.ok(lines.includes(line), `${line} is not in\n${lines.join('\n')}`);
  }
  assert.equal(result.longName, 'debian');
  assert.equal(ofOutcome(result, 'refused').length, 1);
});

test('what is no definition is told with the kinds that there are', () => {
  assert.throws(() => importText('hello\n', '/h/x.txt'), /not a definition of a machine/);
  assert.throws(() => importText('', '/h/x.txt'), /not a definition of a machine/);
});

test('quickemu: a system gets the hardware that quickemu gives it', () => {
  const configOf = (text: string): string => importText(text, '/h/x.conf').text;
  assert.match(configOf('guest_os="ReactOS"\nboot="legacy"\ndisk_img="a.qcow2"\n'), /^MACHINE=pc$/m);
  const kolibri = configOf('guest_os="kolibrios"\nboot="legacy"\ndisk_img="a.qcow2"\n');
  for (const line of ['CPU=qemu32', 'DSK1="/h/a.qcow2,format=qcow2,if=sata"', 'NIC1="rtl8139,'])
    assert.ok(kolibri.includes(`\n${line}`), `${line} is not in\n${kolibri}`);
  const batocera = configOf('guest_os="batocera"\ndisk_img="d.qcow2"\nimg="b.img"\n');
  assert.match(batocera, /^DSK1="\/h\/b.img,format=raw"\nDSK2="\/h\/d.qcow2,format=qcow2"$/m);
  assert.match(configOf('guest_os="linux"\ndisk_img="a"\narch="aarch64"\n'), /^MACHINE=virt$/m);
  assert.match(configOf('guest_os="linux"\ndisk_img="a"\nbridge="br7"\n'), /^NIC1=.*bridge=br7/m);
  assert.match(configOf('  guest_os="solaris"\n  disk_img="a"\n'), /^SOUND=ac97$/m);
});

test('quickemu: a guest that is cut off from the network stays so', () => {
  const result = importText('guest_os="linux"\ndisk_img="a"\nnetwork="restrict"\n', '/h/x.conf');
  assert.match(result.text, /^NIC1="virtio-net-pci,net=none"$/m);
  assert.match(ofOutcome(result, 'changed').join(), /connected to nothing/);
});

test('vm-bhyve: the port of the screen, shared folders and the clock are those of vm-bhyve', () => {
  const result = importText(
    `loader="uefi"
memory=1G
graphics="yes"
graphics_port="5907"
vnc_password="hunter2"
disk0_type="virtio-blk"
disk0_name="disk0.img"
disk1_type="virtio-9p"
disk1_dev="custom"
disk1_name="media=/srv/media"
disk_slot_start="4"
uefi_vars="yes"
sound_play="/dev/dsp0"
`,
    '/vm/a/a.conf',
  );
  for (const line of ['VNC=127.0.0.1:7', 'RTC=utc', 'SHARE1="/srv/media,driver=9p,tag=media"']) {
    assert.ok(linesOf(result).includes(line), `${line} is not in\n${result.text}`);
  }
  assert.equal(result.config.disks.length, 1);
  assert.doesNotMatch(JSON.stringify(result.items) + result.text, /hunter2/);
  const low = importText('loader="uefi"\ngraphics="yes"\ngraphics_port="80"\n', '/vm/a/a.conf');
  assert.match(ofOutcome(low, 'lost').join(), /begin at 5900/);
  assert.ok(linesOf(low).includes('VNC=on'));
});
