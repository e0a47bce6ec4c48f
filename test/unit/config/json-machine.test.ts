import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { JSON_MEMBERS } from '../../../src/config/json/json-machine.ts';
import { parseJson } from '../../../src/config/json/json-text.ts';
import { findKey } from '../../../src/config/keys.ts';
import { parseMachineConfig } from '../../../src/config/machine-config.ts';
import { renderMachineConfig } from '../../../src/config/render-machine.ts';
import { formatIssue } from '../../../src/config/text/issues.ts';
import type { MachineConfig } from '../../../src/config/types.ts';
import { deriveUuid } from '../../../src/config/uuid.ts';
import { withoutOrigins } from './support.ts';

const PATH = '/srv/machines/web.json';

const MACHINE = {
  vm: { name: 'web', uuid: '550e8400-e29b-41d4-a716-446655440000', created_at: '2024-06-01T12:00:00Z' },
  cpu: { cores: 4, type: 'host' },
  memory: { size_mb: 2048 },
  network: { interface: 'br3', type: 'virtio', mac: '52:54:00:ab:cd:ef' },
  disk: { name: 'web-disk', path: '/var/lib/images/web.qcow2', size_gb: 20.0, format: 'qcow2' },
};

function parseGood(machine: unknown): MachineConfig {
  const { config, issues } = parseMachineConfig(JSON.stringify(machine, null, 2), { path: PATH });
  assert.deepEqual(issues, []);
  assert.ok(config);
  return config;
}

function issuesOf(machine: unknown): string[] {
  const text = typeof machine === 'string' ? machine : JSON.stringify(machine, null, 2);
  return parseMachineConfig(text, { path: PATH }).issues.map((issue) => formatIssue(issue).replace(`${PATH}:`, ''));
}

suite('a JSON machine', () => {
  test('has its processors, memory, disk and card', () => {
    const config = parseGood(MACHINE);
    assert.equal(config.name, 'web');
    assert.equal(config.longName, 'web');
    assert.equal(config.uuid, MACHINE.vm.uuid);
    assert.equal(config.smp, '4');
    assert.equal(config.cpu, 'host');
    assert.equal(config.memoryBytes, 2048 * 1024 ** 2);
    assert.equal(config.disks[0]?.file, '/var/lib/images/web.qcow2');
    assert.equal(config.disks[0]?.format, 'qcow2');
    assert.equal(config.nics[0]?.model, 'virtio-net-pci');
    assert.equal(config.nics[0]?.bridge, 'br3');
    assert.equal(config.nics[0]?.mac, '52:54:00:ab:cd:ef');
    assert.deepEqual(config.origins.get('RAM'), { file: PATH, line: 12 });
  });

  test('with lists has all disks and cards', () => {
    const { network: _, disk: __, ...rest } = MACHINE;
    const config = parseGood({
      ...rest,
      network: {
        interfaces: [
          { name: 'br1', type: 'bridge', mac: '52:54:00:00:00:01' },
          { name: 'tap0', type: 'user' },
          { name: '', type: 'e1000' },
        ],
      },
      storage: {
        disks: [
          { name: 'a.qcow2', path: '/srv/x', size_gb: 1, format: 'qcow2' },
          { name: 'b.img', path: 'disks/' },
          { name: 'ü, "c".img' },
          { path: '/dev/vg/lv' },
        ],
      },
    });
    assert.deepEqual(
      config.nics.map(({ model, net, bridge, mac }) => [model, net, bridge, mac]),
      [
        ['virtio-net-pci', 'bridge', 'br1', '52:54:00:00:00:01'],
        ['virtio-net-pci', 'user', '', undefined],
        ['e1000', 'bridge', 'br0', undefined],
      ],
    );
    assert.deepEqual(
      config.disks.map(({ file, format }) => [file, format]),
      [
        ['/srv/x/a.qcow2', 'qcow2'],
        ['/srv/machines/disks/b.img', undefined],
        ['/srv/machines/ü, "c".img', undefined],
        ['/dev/vg/lv', undefined],
      ],
    );
  });

  test('counts threads for each core', () => {
    const config = parseGood({ ...MACHINE, cpu: { cores: 2, threads: 2, type: 'max' } });
    assert.equal(config.smp, 'cpus=4,sockets=1,cores=2,threads=2');
  });

  test('stands over the defaults of the host', () => {
    const { config } = parseMachineConfig(JSON.stringify(MACHINE), {
      path: PATH,
      defaults: { path: '/etc/qemu/defaults-qemu.cfg', text: 'RAM=1G\nVGA=none\n' },
    });
    assert.equal(config?.memoryBytes, 2048 * 1024 ** 2);
    assert.equal(config?.vga, 'none');
  });

  test('is the same machine as the cfg file that it is rendered to', () => {
    const config = parseGood(MACHINE);
    const path = '/srv/machines/web-qemu.cfg';
    const again = parseMachineConfig(renderMachineConfig(config), { path });
    assert.deepEqual(again.issues, []);
    assert.deepEqual(withoutOrigins(again.config), withoutOrigins({ ...config, path, uuid: config.uuid }));
  });
});

suite('a JSON machine as Ozone writes it', () => {
  /** The example that comes with it, but for the folder. */
  const EXAMPLE = {
    vm: { name: 'example', uuid: 'example-id', created_at: '1970-01-01T12:00:00Z' },
    cpu: { cores: 2, type: 'host' },
    memory: { size_mb: 2048 },
    network: { interfaces: [{ name: 'eth0', type: 'nat', mac: 'auto' }] },
    storage: { disks: [{ name: 'example-disk', path: 'vms/example/disk-0.qcow2', size_gb: 20, format: 'qcow2' }] },
  };

  function read(machine: unknown, path = '/srv/vms/example.json', files: readonly string[] = []) {
    const text = JSON.stringify(machine, null, 2);
    const { config, issues } = parseMachineConfig(text, { path, exists: (file) => files.includes(file) });
    assert.ok(config, issues.map(formatIssue).join('\n'));
    return { config, warnings: issues.map(({ message }) => message) };
  }

  test('is used, and what stands for no value is passed over with a warning', () => {
    const { config, warnings } = read(EXAMPLE);
    assert.deepEqual(warnings, [
      'vm.uuid "example-id" is not a UUID and is ignored',
      'network.interfaces[0].mac "auto" is ignored',
      '"vms/example/disk-0.qcow2" is taken from the folder above "vms": "/srv/vms/example/disk-0.qcow2"',
    ]);
    assert.equal(config.uuid, deriveUuid('example'));
    assert.deepEqual([config.nics[0]?.net, config.nics[0]?.mac], ['user', undefined]);
    assert.equal(config.disks[0]?.file, '/srv/vms/example/disk-0.qcow2');
  });

  test('has its images in the folder above "vms", unless they are only in its own', () => {
    const diskOf = (...files: readonly string[]): unknown => {
      const storage = { disks: [{ path: 'images/a.img' }] };
      return read({ ...EXAMPLE, storage }, '/srv/vms/example.json', files).config.disks[0]?.file;
    };
    assert.equal(diskOf(), '/srv/images/a.img');
    assert.equal(diskOf('/srv/vms/images/a.img'), '/srv/vms/images/a.img');
    assert.equal(diskOf('/srv/vms/images/a.img', '/srv/images/a.img'), '/srv/images/a.img');
  });

  test('of which only one part has been filled in has the defaults for the rest', () => {
    const { config, warnings } = read({
      vm: { name: '', uuid: '', created_at: '' },
      cpu: { cores: 0, type: '' },
      memory: { size_mb: 0 },
      network: { interface: '', type: '', mac: '' },
      disk: { name: '', path: '', size_gb: 0, format: '' },
    });
    assert.deepEqual(warnings, [
      'The machine has no disk',
      'vm.name is empty',
      'cpu.cores is empty',
      'memory.size_mb is empty',
    ]);
    assert.deepEqual([config.name, config.smp, config.nics.length, config.disks.length], ['example', '1', 0, 0]);
  });

  test('may have its members in any letter case', () => {
    const { config, warnings } = read({
      VM: { Name: 'example' },
      CPU: { Cores: 2 },
      Memory: { Size_MB: 64 },
      Disk: { PATH: '/srv/a.img' },
    });
    assert.deepEqual([config.smp, config.memoryBytes, config.disks[0]?.file], ['2', 64 * 1024 ** 2, '/srv/a.img']);
    assert.ok(warnings.includes('memory has "Size_MB", which is read as "size_mb"'), warnings.join('\n'));
    const twice = parseMachineConfig('{"vm": {"name": "a",\n"Name": "b"}}', { path: PATH }).issues.map(formatIssue);
    assert.ok(twice.includes(`${PATH}:2: vm has "name" twice, on lines 1 and 2`), twice.join('\n'));
  });
});

suite('a JSON machine with faults', () => {
  test('has missing parts reported all at once', () => {
    assert.deepEqual(issuesOf({}), [
      '1: The machine has no "vm"',
      '1: The machine has no "cpu"',
      '1: The machine has no "memory"',
      '1: Warning: The machine has no disk',
    ]);
    assert.deepEqual(issuesOf({ vm: {}, cpu: {}, memory: { size_mb: null }, disk: {}, network: null }), [
      '2: vm has no "name"',
      '3: cpu has no "cores"',
      '4: memory has no "size_mb"',
      '7: disk has neither path nor name',
    ]);
  });

  test('has wrong types and values reported with their line', () => {
    assert.deepEqual(
      issuesOf({
        vm: { name: 'a/b', uuid: 5, created_at: true },
        cpu: { cores: '4', threads: 1.5, type: [] },
        memory: { size_mb: -1 },
        network: [],
        storage: { disks: {} },
        disk: { path: 'x.qcow2', size_gb: 'big', format: 'qcow9' },
      }),
      [
        '3: NAME "a/b" is not a valid name; a name has 1 to 40 letters, digits, "_", "." or "-" and starts with a letter or digit',
        '4: vm.uuid is 5, not a string',
        '5: vm.created_at is true, not a string',
        '8: cpu.cores is "4", not a whole number from 1',
        '9: cpu.threads is 1.5, not a whole number from 1',
        '10: cpu.type is a list, not a string',
        '13: memory.size_mb is -1, not a whole number from 1',
        '15: network is a list, not an object',
        '17: storage.disks is an object, not a list',
        '19: DSK1 format must be raw, qcow2, qcow, qed, vmdk, vdi, vhdx, vpc, luks, parallels, bochs, cloop or dmg, not "qcow9" ' +
          '(did you mean "qcow2"?)',
        '21: disk.size_gb is "big", not a number from 0',
      ],
    );
  });

  test('has unknown members as warnings, and is used', () => {
    const { config, issues } = parseMachineConfig(JSON.stringify({ ...MACHINE, memori: {}, x: 1 }), { path: PATH });
    assert.ok(config);
    assert.deepEqual(issues.map(formatIssue), [
      `${PATH}:1: Warning: The machine has an unknown member "memori" (did you mean "memory"?)`,
      `${PATH}:1: Warning: The machine has an unknown member "x"`,
    ]);
  });

  test('that is no JSON has one problem, with its line', () => {
    assert.deepEqual(issuesOf('{\n  "vm": {\n'), ['3: A member name in double quotes is expected']);
    assert.deepEqual(issuesOf(''), ['1: The JSON text ends too early']);
    assert.deepEqual(issuesOf('[]'), ['1: The machine is a list, not an object']);
    assert.deepEqual(issuesOf('{}\n{}'), ['2: Text follows the end of the JSON value']);
    assert.deepEqual(issuesOf('{"a": 1,\n}'), ['2: A member name in double quotes is expected']);
    assert.deepEqual(issuesOf('{"a": "b\nc"}'), ['1: A string is not closed on its line']);
    assert.deepEqual(issuesOf('RAM=2G\n'), ['1: A JSON value is expected']);
    assert.deepEqual(issuesOf('['.repeat(100_000)), ['1: The JSON value is nested more than 32 levels deep']);
  });

  test('has a member that is there twice, and control characters, refused', () => {
    assert.ok(issuesOf('{"vm": {"name": "a",\n"name": "b"}}').includes('2: vm has "name" twice, on lines 1 and 2'));
    assert.deepEqual(issuesOf({ ...MACHINE, disk: { path: 'a\nb.img' } }), [
      '20: disk.path has a control character (U+000A)',
    ]);
  });
});

suite('parseJson()', () => {
  test('reads all that JSON.parse reads, to the same value', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
        const text = JSON.stringify(value, null, 1);
        assert.deepEqual(toValue(parseJson(text)), JSON.parse(text));
      }),
      { numRuns: 300 },
    );
  });

  test('refuses what JSON.parse refuses, and never throws', () => {
    const json = fc.string({ unit: fc.constantFrom(...'{}[]",:\\1-.e tfnu\n'.split(''), 'true', 'null', '"a"') });
    fc.assert(
      fc.property(json, (text) => {
        let isJson = true;
        try {
          JSON.parse(text);
        } catch {
          isJson = false;
        }
        assert.equal('problem' in parseJson(text), !isJson);
      }),
      { numRuns: 1000 },
    );
  });

  test('reads a string of 1 MiB', () => {
    const text = JSON.stringify('x\\"'.repeat(300_000));
    assert.deepEqual(toValue(parseJson(text)), JSON.parse(text));
  });
});

test('every key in the table of members is a key', () => {
  for (const { key } of JSON_MEMBERS) assert.ok(key === '' || findKey(key.replace('x', '1')), key);
});

function toValue(node: ReturnType<typeof parseJson>): unknown {
  if ('problem' in node) return node;
  switch (node.kind) {
    case 'object':
      return Object.fromEntries(node.members.map(({ name, value }) => [name, toValue(value)]));
    case 'array':
      return node.items.map(toValue);
    case 'null':
      return null;
    default:
      return node.value;
  }
}
