import assert from 'node:assert/strict';
import { test } from 'node:test';
import { harmlessOptions } from '../../../src/machine/check/try-options.ts';

function harmless(...args: readonly string[]): string {
  return harmlessOptions([{ key: '[custom]', args }])
    .flatMap((option) => option.args)
    .join(' ');
}

test('a machine that is only made opens no image, socket or file, and takes nothing of the host', () => {
  for (const [given, left] of [
    [
      '-drive file=/a,,b.img,format=qcow2,if=none,id=dsk1,cache=none',
      '-drive if=none,id=dsk1,driver=null-co,size=64M,read-zeroes=on',
    ],
    ['-drive if=none,id=cdr1,media=cdrom,readonly=on', '-drive if=none,id=cdr1,media=cdrom,readonly=on'],
    ['-drive if=pflash,unit=0,format=raw,readonly=on,file=/c.fd', ''],
    ['-drive if=pflash,unit=1,format=raw,file=/v.fd', ''],
    ['-blockdev qcow2,node-name=n,file.driver=file,file.filename=/x', '-blockdev null-co,read-zeroes=on,node-name=n'],
    ['-blockdev {"driver":"file","node-name":"n","filename":"/x"}', '-blockdev null-co,read-zeroes=on,node-name=n'],
    ['-hdb /x.img', '-drive if=ide,index=1,driver=null-co,size=64M'],
    ['-cdrom /x.iso', '-drive if=ide,index=2,media=cdrom,driver=null-co,size=64M'],
    ['-netdev tap,id=net0,ifname=web.1,script=/x', '-netdev hubport,id=net0,hubid=0'],
    ['-nic tap,script=/x', ''],
    ['-chardev socket,id=c,path=/x,server=on', '-chardev null,id=c'],
    ['-serial tcp::4444,server=on', '-serial null'],
    ['-serial chardev:serial0', '-serial chardev:serial0'],
    ['-qmp tcp:127.0.0.1:4444,server=on', ''],
    ['-incoming exec:touch', ''],
    ['-object tls-creds-psk,id=tls0,dir=/x', ''],
    ['-object filter-dump,id=f,netdev=net0,file=/x', ''],
    ['-object iothread,id=io', '-object iothread,id=io'],
    ['-device vfio-pci,host=01:00.0', ''],
    ['-device usb-host,vendorid=1', ''],
    ['-device virtio-rng-pci -S -device e1000', '-device virtio-rng-pci -device e1000'],
    ['-display gtk', ''],
    ['-display none', '-display none'],
    ['-audiodev wav,id=a,path=/x', '-audiodev none,id=a'],
    ['-pidfile /x', ''],
    ['-debugcon file:/x', '-debugcon null'],
    ['-debugcon unix:/x,server=on', '-debugcon null'],
    ['-icount shift=1,rr=record,rrfile=x', ''],
    ['-icount shift=1', '-icount shift=1'],
    ['-object memory-backend-file,id=m,mem-path=x,share=on,size=32M -numa node,memdev=m', ''],
    ['-object {"qom-type":"secret","id":"s","file":"x"}', ''],
    ['-object {"qom-type":"iothread","id":"i"}', '-object {"qom-type":"iothread","id":"i"}'],
    ['-readconfig x', ''],
    ['-fw_cfg name=opt/a,file=x', ''],
    ['-fw_cfg name=opt/a,string=x', '-fw_cfg name=opt/a,string=x'],
    ['-object rng-builtin,id=r,filename=x', ''],
    ['-qtest unix:x', ''],
    ['-virtfs local,path=x,mount_tag=t,security_model=none', ''],
    ['-fsdev local,id=f,path=x -device virtio-9p-pci,fsdev=f,mount_tag=t -device e1000', '-device e1000'],
    ['-plugin ./x.so', ''],
    ['-machine dumpdtb=x,hpet=off', '-machine hpet=off'],
    ['-set chardev.c.backend=file', ''],
    ['-smbios type=0,file=x', ''],
    ['-smbios type=1,serial=x', '-smbios type=1,serial=x'],
    ['-device pci-testdev,romfile=x', ''],
    ['-nosuch file=x', '-nosuch'],
  ] as const) {
    assert.equal(harmless(...given.split(' ')), left, given);
  }
});

test('what is not tried is told, and the own flash and kernel are', () => {
  const given = [
    { key: 'FIRMWARE', args: ['-drive', 'if=pflash,unit=0,format=raw,readonly=on,file=/c.fd'] },
    { key: 'KERNEL', args: ['-kernel', '/k'] },
    { key: '[custom]', args: ['-kernel', '/k', '-fda', 'x'] },
  ];
  const tried = harmlessOptions(given);
  assert.deepEqual(
    tried.map(({ args }) => args),
    [given[0]?.args, given[1]?.args, []],
  );
  assert.deepEqual(tried[2]?.leftOut, ['-kernel', '-fda']);
});
