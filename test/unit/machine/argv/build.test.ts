import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { findKey } from '../../../../src/config/keys.ts';
import { bootIndexes } from '../../../../src/machine/argv/boot-order.ts';
import { buildArgs, buildOptions } from '../../../../src/machine/argv/build.ts';
import { withLevel } from '../../../../src/machine/argv/cpu-levels.ts';
import type { ArgvRequest } from '../../../../src/machine/argv/request.ts';
import { ARGV_CONFIGS, argvRequest } from '../../../support/argv-configs.ts';
import { assertGolden } from '../../../support/golden.ts';

for (const config of ARGV_CONFIGS) {
  test(`the command line of "${config.title}" is as in its golden file`, () => {
    const request = argvRequest(config);
    const args = [request.binary, ...buildArgs(request)];
    assertGolden(`test/unit/machine/golden/${config.title}.txt`, `${args.join('\n')}\n`);
  });
}

test('the same request gives the same command line, and is left as it was', () => {
  fc.assert(
    fc.property(machines, (machine) => {
      const request = requestOf(machine);
      const copy = structuredClone({ ...request, config: plain(request) });
      const args = buildArgs(request);
      assert.deepEqual(buildArgs(request), args);
      assert.deepEqual({ ...request, config: plain(request) }, copy);
    }),
    { numRuns: 50 },
  );
});

test('adding a device moves no other', () => {
  fc.assert(
    fc.property(machines, fc.constantFrom('disks', 'cdroms', 'nics'), anyDevice, (machine, family, device) => {
      const before = places(machine);
      const after = places({ ...machine, [family]: [...machine[family], device[family]] });
      for (const [id, place] of before) assert.equal(after.get(id), place, `${id} has moved`);
      assert.ok(after.size > before.size, 'nothing was added');
    }),
    { numRuns: 100 },
  );
});

test('turning a built-in device on or off moves no other', () => {
  fc.assert(
    fc.property(machines, fc.constantFrom('QGA', 'RNG', 'BALLOON', 'VGA', 'HOTPLUG'), (machine, key) => {
      const [on, off] = [places({ ...machine, extra: '' }), places({ ...machine, extra: `${key}=${OFF[key]}\n` })];
      for (const [id, place] of off) assert.equal(on.get(id), place, `${id} has moved`);
    }),
    { numRuns: 100 },
  );
});

test('no two devices have one place, and function 0 of a shared slot is multifunction', () => {
  fc.assert(
    fc.property(machines, (machine) => {
      const devices = devicesOf(machine);
      const all = [...devices.values()].map(placeOf).filter((place) => place !== '');
      assert.equal(new Set(all).size, all.length, all.join(' '));
      for (const properties of devices.values()) {
        const [, slot, fn] = /addr=(0x[0-9a-f]+)\.(\d)/.exec(properties) ?? [];
        if (slot === undefined) continue;
        assert.ok(Number(fn) < 8);
        const first = [...devices.values()].find((each) => new RegExp(`addr=${slot}(,|$)`).test(each));
        assert.match(first ?? 'none', /,multifunction=on/);
      }
    }),
    { numRuns: 100 },
  );
});

test('every id is given once, and every drive and net has its device', () => {
  fc.assert(
    fc.property(machines, (machine) => {
      const request = requestOf(machine);
      const ids = buildArgs(request).flatMap((argument) => /(?:^|,)id=([^,]+)/.exec(argument)?.[1] ?? []);
      assert.equal(new Set(ids).size, ids.length, ids.join(' '));
      const text = buildArgs(request).join('\n');
      for (const id of ids.filter((each) => /^(dsk|cdr)\d+$/.test(each))) {
        assert.match(text, new RegExp(`[,]drive=${id},`));
      }
    }),
    { numRuns: 100 },
  );
});

test('each option is one word behind a dash with its values, and knows its key', () => {
  const { config, ...request } = argvRequest({ title: '', text: 'DSK1=a.img\nNIC1=e1000\nSMP=2\n' });
  for (const { key, args } of buildOptions({ config, ...request })) {
    assert.match(args[0] ?? '', /^--?[a-z-]+$/i);
    assert.ok(args.length <= 2);
    assert.match(key, /^([A-Z]+\d*)?$/);
  }
});

test('each option is of a key that can be set, and controllers of the first device that needs them', () => {
  fc.assert(
    fc.property(machines, (machine) => {
      for (const { key } of buildOptions(requestOf(machine))) {
        assert.ok(['', 'TLS', 'MONPORT', '[custom]'].includes(key) || findKey(key), key);
      }
    }),
    { numRuns: 50 },
  );
  const text = `MACHINE=pc\n${Array.from({ length: 9 }, (_, at) => `DSK${at + 1}=d${at},if=sata\n`).join('')}CDR1=empty\nCDR2=empty\nCDR3=empty\n`;
  const keys = buildOptions(argvRequest({ title: '', text })).filter(({ args }) => args[1]?.startsWith('ich9-ahci'));
  assert.deepEqual(
    keys.map(({ key }) => key),
    ['DSK1', 'DSK7', 'CDR3'],
  );
});

test('devices with bootindex= boot first, in its order, and BOOT orders the others', () => {
  const text = 'DSK1=a\nDSK2=b,bootindex=9\nCDR1=empty,bootindex=1\nNIC1=e1000\nNIC2=e1000,bootindex=5\nBOOT=disk\n';
  assert.deepEqual(
    [...bootIndexes(argvRequest({ title: '', text }).config)],
    [
      ['CDR1', 0],
      ['NIC2', 1],
      ['DSK2', 2],
      ['DSK1', 3],
    ],
  );
});

test('a level of x86-64 is what it asks for, and flags after it count', () => {
  assert.equal(withLevel('x86-64-v2,-popcnt'), 'qemu64,+cx16,+lahf-lm,+popcnt,+pni,+sse4.1,+sse4.2,+ssse3,-popcnt');
  assert.match(withLevel('x86-64-v4'), /,\+avx2,.*,\+avx512f,/);
  for (const cpu of ['host', 'max,-vmx', 'toString', 'x86-64-v5', '']) assert.equal(withLevel(cpu), cpu);
});

test('VGA=virtio is a card without a VGA where QEMU has no other', () => {
  for (const [target, driver] of [
    ['x86_64', 'virtio-vga'],
    ['ppc64', 'virtio-vga'],
    ['aarch64', 'virtio-gpu-pci'],
    ['riscv64', 'virtio-gpu-pci'],
  ] as const) {
    const text = `TGTARCH=qemu-system-${target}\nVGA=virtio\n`;
    const args = buildArgs(argvRequest({ title: '', text }));
    assert.ok(
      args.some((arg) => arg.startsWith(`${driver},`)),
      target,
    );
  }
});

test('the clock is of the key that decides what it shows', () => {
  const keyOf = (text: string): string | undefined =>
    buildOptions(argvRequest({ title: '', text })).find(({ args }) => args[0] === '-rtc')?.key;
  assert.equal(keyOf(''), 'RTC');
  assert.equal(keyOf('OS=windows11'), 'OS');
  assert.equal(keyOf('OS=windows11\nRTC=localtime'), 'RTC');
  assert.equal(keyOf('OS=debian\nRTC=localtime'), 'RTC');
});

/** Parts of a machine's file. */
interface Machine {
  readonly board: string;
  readonly disks: readonly string[];
  readonly cdroms: readonly string[];
  readonly nics: readonly string[];
  readonly extra: string;
}

/** AHCI controllers have room for so many. */
const LAST_SATA_DISK = 48;

const OFF: Readonly<Record<string, string>> = { QGA: 'off', RNG: 'off', BALLOON: 'off', VGA: 'none', HOTPLUG: '0' };

const disks = fc.constantFrom('virtio', 'ide', 'sata', 'scsi', 'nvme');
const cdroms = fc.constantFrom('disc.iso', 'empty');
const nics = fc.constantFrom(
  'virtio-net-pci',
  'e1000',
  'rtl8139,net=none',
  'virtio-net-pci,net=user',
  'ne2k_isa,net=none',
);
const anyDevice = fc.record({ disks, cdroms, nics });
const machines: fc.Arbitrary<Machine> = fc.record({
  board: fc.constantFrom('q35', 'pc', 'pc-i440fx-7.2', 'pc-q35-7.2', 'virt'),
  disks: fc.array(disks, { maxLength: 63 }),
  cdroms: fc.array(cdroms, { maxLength: 47 }),
  nics: fc.array(nics, { maxLength: 63 }),
  extra: fc.constant(''),
});

function requestOf({ board, disks, cdroms, nics, extra }: Machine): ArgvRequest {
  const text = [
    `MACHINE=${board}`,
    ...disks.map(
      (kind, at) => `DSK${at + 1}=d${at + 1}.img,if=${at < LAST_SATA_DISK ? kind : kind.replace(/ide|sata/, 'scsi')}`,
    ),
    ...cdroms.map((file, at) => `CDR${at + 1}=${file}`),
    ...nics.map((nic, at) => `NIC${at + 1}=${nic}`),
    extra,
  ];
  return argvRequest({ title: '', text: text.join('\n') });
}

/** Properties of every device, by its id. */
function devicesOf(machine: Machine): Map<string, string> {
  const options = buildOptions(requestOf(machine));
  const devices = options.filter(({ args }) => args[0] === '-device').map(({ args }) => args[1] ?? '');
  return new Map(devices.map((properties) => [/(?:^|,)id=([^,]+)/.exec(properties)?.[1] ?? properties, properties]));
}

function places(machine: Machine): Map<string, string> {
  return new Map([...devicesOf(machine)].map(([id, properties]) => [id, placeOf(properties)]));
}

/** Bus and place on it; empty for a device that QEMU places. */
function placeOf(properties: string): string {
  return properties
    .split(',')
    .filter((property) => /^(bus|addr|unit|scsi-id)=/.test(property))
    .join(',');
}

function plain({ config }: ArgvRequest): object {
  return { ...config, origins: [...config.origins] };
}
