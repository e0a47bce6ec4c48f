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
    'RTC=localtime',
    'DSK1="/home/bob/windows-11/disk.qcow2,format=qcow2"',
    'CDR1="/home/bob/windows-11/windows 11.iso,optional=on"',
    'NIC1="virtio-net-pci,net=user,mac=52:54:00:12:34:56,hostfwd=tcp:127.0.0.1:22220-:22,hostfwd=tcp:127.0.0.1:8022-:22,hostfwd=tcp:127.0.0.1:8080-:80"',
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
