import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Problem } from '../../../src/base/problem.ts';
import { parseMachineConfig } from '../../../src/config/machine-config.ts';
import { meantWord } from '../../../src/config/text/meant.ts';

/** What is said of a file with one line, with the hint in brackets. */
function said(line: string): string[] {
  const { issues } = parseMachineConfig(`${line}\n`, { path: '/etc/qemu/web-qemu.cfg' });
  return issues.map(({ severity, message, hint }: Problem) => `${severity}: ${message} (${hint})`);
}

test('a word of another tool is the one that is meant here, where there is such a one', () => {
  assert.equal(meantWord('nat', ['bridge', 'user']), 'user');
  assert.equal(meantWord('NAT', ['bridge', 'user']), 'user');
  assert.equal(meantWord('dsk1', ['disk', 'cdrom']), 'disk');
  assert.equal(meantWord('virtio-blk-pci', ['virtio', 'ide']), 'virtio');
  assert.equal(meantWord('cdrm', ['disk', 'cdrom']), 'cdrom');
  assert.equal(meantWord('nat', ['on', 'off']), undefined);
  assert.equal(meantWord('constructor', ['on', 'off']), undefined);
});

for (const [line, expected] of [
  ['BOOT=cd', /did you mean "cdrom"/],
  ['BOOT=hd', /did you mean "disk"/],
  ['BOOT=c', /did you mean "disk"/],
  ['BOOT=dsk1', /did you mean "disk"/],
  ['BOOT=n', /did you mean "network"/],
  ['NIC1=virtio,net=nat', /did you mean "user"/],
  ['NIC1=virtio,br=br7', /did you mean "bridge"/],
  ['NIC1=user', /write NIC1=virtio,net=user/],
  ['NIC1=nat', /write NIC1=virtio,net=user/],
  ['DSK1=a.img,bus=sata', /did you mean "if"/],
  ['FIRMWARE=ovmf', /did you mean "uefi"/],
  ['VNC=5901', /port 5901 is display 1; did you mean ":1"/],
  ['VNC=127.0.0.1:5901', /^warning: VNC display 5901 is TCP port 11801 .*did you mean ":1"/],
  ['STOPDELAY=2min', /the value is in seconds: 120/],
  ['BOOTDELAY=30s', /the value is in seconds: 30/],
  ['STOPDELAY=30h', /\(undefined\)/],
  ['SMP=4,cores=3', /4 processors cannot be divided by cores=3/],
  ['-device e1000', /below a line \[custom\]/],
  ['-m=2G', /below a line \[custom\]/],
  ['OPTS=-device e1000', /below a line \[custom\]/],
  ['PRECMD=/bin/a && /bin/b', /^warning: PRECMD: "&&" is passed to the program .*no shell is used/],
] as const) {
  test(`"${line}" is answered with what was meant`, () => {
    const [first = '', ...more] = said(line);
    assert.match(first, expected);
    assert.deepEqual(more, []);
  });
}

test('levels that QEMU can fill up are no mistake', () => {
  for (const line of ['SMP=4,cores=2', 'SMP=6,sockets=3', 'SMP=8,sockets=2,threads=2', 'SMP=2,maxcpus=8,cores=4']) {
    assert.deepEqual(said(line), [], line);
  }
});

test('keys of libvirt, Proxmox VE, quickemu and vm-bhyve lead to ours', () => {
  const theirs: Readonly<Record<string, string>> = {
    memory: 'RAM',
    ram: 'RAM',
    vcpu: 'SMP',
    cores: 'SMP',
    cpu_cores: 'SMP',
    disk_img: 'DSK1',
    disk: 'DSK1',
    iso: 'CDR1',
    network: 'NIC1',
    interface: 'NIC1',
    port_forwards: 'NIC1',
    bios: 'FIRMWARE',
    loader: 'FIRMWARE',
    cmdline: 'APPEND',
    display: 'VNC',
    onboot: 'AUTOSTART',
    startup: 'BOOTORDER',
  };
  for (const [word, key] of Object.entries(theirs))
    assert.match(said(`${word}=1`)[0] ?? '', new RegExp(`did you mean "${key}"`));
  for (const word of ['args', 'extra_args', 'bhyve_options']) assert.match(said(`${word}=1`)[0] ?? '', /\[custom\]/);
});
