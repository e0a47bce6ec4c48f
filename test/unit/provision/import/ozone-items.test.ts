import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJsonMachine } from '../../../../src/config/json/json-machine.ts';
import { ozoneItems } from '../../../../src/provision/import/ozone-items.ts';

function itemsOf(machine: unknown): { rows: string[]; rest: string[] } {
  const text = typeof machine === 'string' ? machine : JSON.stringify(machine, undefined, 2);
  const { issues } = parseJsonMachine(text, '/srv/vms/a.json');
  const { items, issues: rest } = ozoneItems(text, issues);
  const rows = items.map(
    ({ source, outcome, key, reason }) => `${outcome} ${source} ${key ?? ''}${reason ? `: ${reason}` : ''}`,
  );
  return { rows, rest: rest.map(({ message }) => message) };
}

test('each member of a JSON machine is carried, changed or lost, once', () => {
  const { rows, rest } = itemsOf({
    vm: { name: 'a', uuid: 'example-id', created_at: '1970-01-01T12:00:00Z' },
    cpu: { cores: 2, type: 'host', odd: true },
    memory: { size_mb: 2048 },
    network: { interface: 'br0', interfaces: [{ name: 'eth0', type: 'nat', mac: 'auto' }] },
    disk: { name: '', path: '', size_gb: 0, format: '' },
    storage: { disks: [{ name: 'd', path: 'vms/a/d.qcow2', size_gb: 20, format: 'qcow2' }] },
  });
  assert.deepEqual(rows, [
    'carried vm.name: a NAME',
    'lost vm.uuid: example-id : vm.uuid "example-id" is not a UUID and is ignored (one is derived from the name)',
    'lost vm.created_at: 1970-01-01T12:00:00Z : for people only',
    'carried cpu.cores: 2 SMP',
    'carried cpu.type: host CPU',
    'lost cpu.odd: true : cpu has an unknown member "odd"',
    'carried memory.size_mb: 2048 RAM',
    'carried network.interface: br0 NIC1',
    'carried network.interfaces[0].name: eth0 NIC2',
    'carried network.interfaces[0].type: nat NIC2',
    'lost network.interfaces[0].mac: auto : network.interfaces[0].mac "auto" is ignored (an address is derived)',
    'carried disk.name:  ',
    'carried disk.path:  ',
    'lost disk.size_gb: 0 : the image has its size',
    'carried disk.format:  ',
    'carried storage.disks[0].name: d DSK1',
    'changed storage.disks[0].path: vms/a/d.qcow2 DSK1: "vms/a/d.qcow2" is taken from the folder above "vms": "/srv/vms/a/d.qcow2"',
    'lost storage.disks[0].size_gb: 20 : the image has its size',
    'carried storage.disks[0].format: qcow2 DSK1',
  ]);
  assert.deepEqual(rest, []);
});

test('what is about no member stays a warning, and a text that is no JSON has no members', () => {
  const { rest } = itemsOf({ vm: { name: null }, cpu: { cores: 1 }, memory: { size_mb: 64 } });
  assert.deepEqual(rest.at(-1), 'The machine has no disk');
  assert.deepEqual(itemsOf('{').rows, []);
});
