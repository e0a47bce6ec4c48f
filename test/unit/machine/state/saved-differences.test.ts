import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startsProgram } from '../../../../src/machine/control/fatal-command.ts';
import { guestOptions } from '../../../../src/machine/state/guest-options.ts';
import {
  type MachineNow,
  savedDifferences,
  savedMachineType,
} from '../../../../src/machine/state/saved-differences.ts';
import type { SavedRecord } from '../../../../src/machine/state/saved-record.ts';

const layer = (path: string, mtimeNs = '1', sizeBytes = 10) => ({
  path,
  format: 'qcow2',
  file: { sizeBytes, mtimeNs, inode: '7' },
});

const NIC = 'virtio-net-pci,netdev=net0,mac=DE:AD:BE:EF:00:01,id=nic1';
const ARGS = [
  '-machine',
  'q35',
  '-accel',
  'tcg',
  '-cpu',
  'qemu64',
  '-m',
  '256M',
  '-netdev',
  'user,id=net0',
  '-device',
  NIC,
];

const RECORD: SavedRecord = {
  savedAt: '2026-01-31T12:00:00.000Z',
  wasRunning: true,
  sizeBytes: 1,
  crc32: 1,
  qemu: { version: '7.2.22', binary: '/usr/bin/qemu-system-x86_64' },
  args: ARGS,
  config: 'RAM=256M\nNIC1=virtio-net-pci,net=user\n',
  machineType: 'pc-q35-7.2',
  hostCpu: undefined,
  images: [{ key: 'DSK1', layers: [layer('/a'), layer('/base')] }],
  hashes: { '/vars': 'x' },
  slot: 0,
  bootId: '',
};

const keyOf: Readonly<Record<string, string>> = {
  '-m': 'RAM',
  '-cpu': 'CPU',
  '-device': 'NIC1',
  '-machine': 'MACHINE',
};

function now(change: Partial<MachineNow> = {}, args: readonly string[] = ARGS): MachineNow {
  return {
    qemuVersion: '7.2.22',
    machineTypes: new Map([
      ['q35', 'pc-q35-7.2'],
      ['pc-q35-7.2', 'pc-q35-7.2'],
    ]),
    options: Array.from({ length: args.length / 2 }, (_, at) => {
      const [flag = '', value = ''] = args.slice(2 * at, 2 * at + 2);
      return { key: keyOf[flag] ?? '', args: [flag, value] };
    }),
    config: RECORD.config,
    hostCpu: undefined,
    images: RECORD.images,
    hashes: RECORD.hashes,
    ...change,
  };
}

test('the same machine has no differences, nor has one in another slot, with another screen and other hooks', () => {
  const more = ['-vnc', '127.0.0.1:7', '-chardev', 'socket,id=qmp,path=/run/b', '-pidfile', '/run/b', '-sandbox', 'on'];
  assert.deepEqual(savedDifferences(RECORD, now()), []);
  assert.deepEqual(savedDifferences(RECORD, now({ config: `VNC=unix\n${RECORD.config}` }, [...ARGS, ...more])), []);
  const bridge = ARGS.map((word) => (word === 'user,id=net0' ? 'user,id=net0,hostfwd=tcp::22-:22' : word));
  assert.deepEqual(savedDifferences(RECORD, now({}, bridge)), []);
});

test('a difference that a guest sees is named by its key, with both values', () => {
  const ram = ARGS.map((word) => (word === '256M' ? '1G' : word));
  assert.deepEqual(savedDifferences(RECORD, now({ config: RECORD.config.replace('256M', '1G') }, ram)), [
    'RAM is "1G" and was "256M"',
  ]);
  const mac = ARGS.map((word) => word.replace('00:01', '00:02'));
  assert.deepEqual(savedDifferences(RECORD, now({}, mac)), ['NIC1 means other hardware than before']);
  assert.deepEqual(savedDifferences(RECORD, now({ config: 'RAM=256M\n' }, ARGS.slice(0, -4))), [
    'NIC1 is not set and was "virtio-net-pci,net=user"',
  ]);
});

test('a disk that was written to, another one, a base that is gone or grew, and other variables are differences', () => {
  const images = (...layers: ReturnType<typeof layer>[]) => now({ images: [{ key: 'DSK1', layers }] });
  assert.deepEqual(savedDifferences(RECORD, images(layer('/a', '2'), layer('/base'))), [
    'DSK1 "/a" was written to since',
  ]);
  assert.deepEqual(savedDifferences(RECORD, images(layer('/b'), layer('/base'))), ['DSK1 is "/b" and was "/a"']);
  assert.deepEqual(savedDifferences(RECORD, images()), ['DSK1 "/a" is missing']);
  assert.deepEqual(savedDifferences(RECORD, images(layer('/a'))), ['DSK1 rests on "/base", which is missing']);
  assert.deepEqual(savedDifferences(RECORD, images(layer('/a'), layer('/base', '1', 11))), [
    'DSK1 rests on "/base", which has 11 bytes and had 10',
  ]);
  assert.deepEqual(savedDifferences(RECORD, images(layer('/a'), layer('/base'), layer('/more'))), [
    'DSK1 rests on "/more", which it did not',
  ]);
  assert.deepEqual(savedDifferences(RECORD, now({ hashes: { '/vars': 'y' } })), ['"/vars" has changed']);
});

test('a newer QEMU goes on with the machine type that the alias meant, unless it lacks it or the processor depends on it', () => {
  const newer = {
    qemuVersion: '10.0.3',
    machineTypes: new Map([
      ['q35', 'pc-q35-10.0'],
      ['pc-q35-10.0', 'pc-q35-10.0'],
      ['pc-q35-7.2', 'pc-q35-7.2'],
    ]),
  };
  assert.deepEqual(savedDifferences(RECORD, now(newer)), []);
  assert.equal(savedMachineType(RECORD, 'q35,smm=on'), 'pc-q35-7.2,smm=on');
  assert.equal(savedMachineType(RECORD, 'pc'), 'pc');
  assert.match(
    savedDifferences(RECORD, now({ ...newer, machineTypes: new Map([['q35', 'x']]) })).join(),
    /does not have pc-q35-7\.2/,
  );
  const max = ARGS.map((word) => (word === 'qemu64' ? 'max' : word));
  assert.match(
    savedDifferences({ ...RECORD, args: max }, now(newer, max)).join(),
    /whose processor "max" is another one/,
  );
  assert.match(savedDifferences({ ...RECORD, hostCpu: 'a' }, now({ hostCpu: 'b' })).join(), /the host's processor/);
});

test('values with commas and several words stay with their option', () => {
  assert.deepEqual(
    guestOptions([
      '-drive',
      'if=none,id=dsk1,file=/a,,b,cache=none',
      '-append',
      'a b',
      '-smbios',
      'type=1,serial=a,,b',
    ]),
    ['-drive if=none,id=dsk1,cache=none', '-append', '-smbios type=1,serial=a,,b'],
  );
});

test('a command is known that has QEMU start a program', () => {
  for (const [command, args] of [
    ['migrate', { uri: 'exec:cat' }],
    ['migrate-incoming', { uri: 'exec:cat' }],
    ['migrate', { channels: [{ addr: { transport: 'exec', args: ['cat'] } }] }],
    ['migrate -d "exec:cat >/tmp/a"', undefined],
    ['migrate_incoming exec:cat', undefined],
  ] as const) {
    assert.equal(startsProgram(command, args), true, command);
  }
  assert.equal(startsProgram('migrate', { uri: 'unix:/exec:a' }), false);
  assert.equal(startsProgram('info exec:', undefined), false);
});
