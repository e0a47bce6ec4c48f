import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeMachine } from '../../../../src/machine/argv/build.ts';
import { customIssues } from '../../../../src/machine/check/custom-issues.ts';
import { argvRequest } from '../../../support/argv-configs.ts';

/** The places of the ports, by their ids. */
function portsOf(text: string): string[] {
  const parts = describeMachine(argvRequest({ title: '', text }));
  return parts.flatMap((part) => (part.kind === 'device' && part.key === 'HOTPLUG' ? [`${part.id} ${part.addr}`] : []));
}

test('eight ports are free on q35 and virt, and none on other boards', () => {
  assert.deepEqual(portsOf(''), ['hp1 0x1c', ...Array.from({ length: 7 }, (_, at) => `hp${at + 2} 0x1c.${at + 1}`)]);
  assert.deepEqual(portsOf('MACHINE=virt-7.2\nTGTARCH=qemu-system-aarch64'), portsOf(''));
  for (const board of ['pc', 'pc-i440fx-7.2', 's390-ccw-virtio', 'pseries', 'microvm']) {
    assert.deepEqual(portsOf(`MACHINE=${board}\nHOTPLUG=24`), [], board);
  }
});

test('ports keep their places when there are more or fewer, up to three slots', () => {
  const all = portsOf('HOTPLUG=24');
  assert.equal(all.at(-1), 'hp24 0x1e.7');
  for (const count of [0, 1, 9, 17]) assert.deepEqual(portsOf(`HOTPLUG=${count}`), all.slice(0, count));
});

test('the ports of the default give way to a device of [custom]', () => {
  for (const place of ['addr=0x1c', 'addr=1c.3', 'bus=pcie.0,addr=0x1c.0x0']) {
    const custom = `[custom]\n-device qemu-xhci,id=usb,${place}`;
    assert.deepEqual(portsOf(custom), [], place);
    assert.equal(portsOf(`HOTPLUG=8\n${custom}`).length, 8, place);
  }
  assert.equal(portsOf('[custom]\n-device qemu-xhci,addr=0x1d').length, 8);
  assert.equal(portsOf('[custom]\n-device virtio-blk-pci,bus=other.0,addr=0x1c').length, 8);
});

test('a device of [custom] in the slot of a port that HOTPLUG asks for is an error, and so is the name of a node that is taken', () => {
  const issuesOf = (text: string): string[] => {
    const { config, machine } = argvRequest({ title: '', text });
    return customIssues(config, machine, MONITOR).map(({ message }) => message);
  };
  assert.deepEqual(issuesOf('[custom]\n-device qemu-xhci,id=other,addr=0x1c\n'), []);
  assert.deepEqual(issuesOf('HOTPLUG=8\n[custom]\n-device qemu-xhci,id=other,addr=0x1c.2\n'), [
    '"-device" in [custom] has the PCI slot 0x1c.2, which HOTPLUG has already',
  ]);
  assert.deepEqual(issuesOf('[custom]\n-device qemu-xhci,id=hp3\n'), [
    '"-device" in [custom] has the id "hp3" of a device, which HOTPLUG has already',
  ]);
  assert.deepEqual(issuesOf('DSK1=a\n[custom]\n-blockdev null-co,node-name=dsk1-file\n'), [
    '"-blockdev" in [custom] has the id "dsk1-file" of a drive, which DSK1 has already',
  ]);
});

const MONITOR = { monitorPort: 30320, monitor: 'tcp', tls: 'psk', vncDisplay: 0 } as const;
