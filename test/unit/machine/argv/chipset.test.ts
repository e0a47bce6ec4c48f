import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chipsetOf, MOST_PER_FAMILY, pciPlace } from '../../../../src/machine/argv/chipset.ts';
import type { Place } from '../../../../src/machine/argv/description.ts';

test('the chipset of a machine type does not depend on its version or its properties', () => {
  for (const type of ['q35', 'pc-q35-7.2', 'q35,smm=off', 'pc-q35-10.0,hpet=off']) assert.equal(chipsetOf(type), 'q35');
  for (const type of ['pc', 'pc-i440fx-7.2', 'pc,usb=off']) assert.equal(chipsetOf(type), 'pc');
  for (const type of ['virt', 'virt-7.2']) assert.equal(chipsetOf(type), 'virt');
  for (const type of ['microvm', 'isapc', 's390-ccw-virtio', 'virtual', '']) assert.equal(chipsetOf(type), 'other');
});

test('the ninth device of a family becomes a function of the first one’s slot', () => {
  assert.equal(written(pciPlace('q35', 'nic', 0, 8)), 'bus=pcie.0,addr=0x8');
  assert.equal(written(pciPlace('q35', 'nic', 0, 9)), 'bus=pcie.0,addr=0x8,multifunction=on');
  assert.equal(written(pciPlace('q35', 'nic', 8, 9)), 'bus=pcie.0,addr=0x8.1');
  assert.equal(written(pciPlace('pc', 'disk', 7, 16)), 'bus=pci.0,addr=0x17,multifunction=on');
  assert.equal(written(pciPlace('pc', 'disk', 15, 16)), 'bus=pci.0,addr=0x17.1');
  assert.equal(written(pciPlace('virt', 'disk', MOST_PER_FAMILY - 1, MOST_PER_FAMILY)), 'bus=pcie.0,addr=0x17.7');
});

test('a chipset without a PCI bus of ours has no places', () => {
  assert.deepEqual(pciPlace('other', 'vga'), {});
});

function written({ bus, addr, multifunction }: Place): string {
  return `bus=${bus},addr=${addr}${multifunction ? ',multifunction=on' : ''}`;
}
