import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exportLibvirt } from '../../../../src/provision/export/libvirt/domain.ts';
import { configOf } from '../../../support/argv-configs.ts';
import { importText, linesOf } from '../../../support/import-files.ts';

const TEXT = `UUID=6ba7b810-9dad-41d1-80b4-00c04fd430c8
DESC="a & b <c>"
MACHINE=pc-q35-7.2
CPU=qemu64,vmx=on,-svm
SMP=4,sockets=1,cores=2,threads=2
RAM=3G
KVM=off
FIRMWARE=uefi-secure
RTC=localtime,driftfix=slew
HPET=off
S3=off
ONPANIC=pause
WATCHDOG=reset
BOOT=cdrom,disk
DSK1="it's, a.img,format=raw,cache=none,aio=native,discard=unmap,serial=S 1"
DSK2=/dev/vg/web,format=raw,if=sata,ssd=on
DSK3=c.qcow2,format=qcow2,if=scsi,readonly=on,snapshot=on
CDR1=d.iso,optional
CDR2=empty
NIC1=virtio-net-pci,bridge=br7,mac=52:54:00:00:00:01,vlan=42,queues=2,mtu=9000,isolated=on,lock=on
NIC2=e1000e,net=user,mac=52:54:00:00:00:02
VNC=127.0.0.1:7
VGA=virtio
SPICE=on
USB=on
SOUND=ac97
AUTOSTART=on

[custom]
-fw_cfg name=opt/x,string=y
`;

const config = configOf(TEXT);
const exported = exportLibvirt({
  config,
  formats: new Map(),
  macs: ['52:54:00:00:00:01', '52:54:00:00:00:02'],
});

test('a machine that is exported to libvirt and imported again is the same', () => {
  const again = linesOf(importText(exported.text, '/srv/web.xml', { '/usr/bin/qemu-system-x86_64': '' }));
  for (const line of [
    'UUID=6ba7b810-9dad-41d1-80b4-00c04fd430c8',
    'DESC="a & b <c>"',
    'MACHINE=pc-q35-7.2',
    'CPU=qemu64,vmx=on,svm=off',
    'SMP=4,sockets=1,cores=2,threads=2',
    'RAM=3G',
    'KVM=off',
    'FIRMWARE=uefi-secure',
    'RTC=localtime,driftfix=slew',
    'HPET=off',
    'S3=off',
    'ONPANIC=pause',
    'WATCHDOG=reset',
    'BOOT=cdrom,disk',
    'VNC=127.0.0.1:7',
    'VGA=virtio',
    'SPICE=on',
    'USB=on',
    'SOUND=ac97',
    'CDR1="/etc/qemu/d.iso,optional=on"',
    'CDR2="empty"',
    'DSK1="/etc/qemu/it\'s,, a.img,format=raw,cache=none,aio=native,discard=unmap,if=virtio,serial=S 1"',
    'DSK2="/dev/vg/web,format=raw,if=sata,ssd=on"',
    'DSK3="/etc/qemu/c.qcow2,format=qcow2,if=scsi,readonly=on,snapshot=on"',
    'NIC1="virtio-net-pci,bridge=br7,mac=52:54:00:00:00:01,mtu=9000,vlan=42,queues=2,isolated=on,lock=on"',
    'NIC2="e1000e,net=user,mac=52:54:00:00:00:02"',
    '-fw_cfg name=opt/x,string=y',
  ]) {
    assert.ok(again.includes(line), `${line} is not in\n${again.join('\n')}\n${exported.text}`);
  }
});

test('keys that libvirt has no place for are listed', () => {
  assert.deepEqual(
    exported.lost.map(({ key }) => key),
    ['AUTOSTART'],
  );
});
