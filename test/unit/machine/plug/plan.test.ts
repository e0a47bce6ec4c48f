import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeMachine } from '../../../../src/machine/argv/build.ts';
import type { Part } from '../../../../src/machine/argv/description.ts';
import { partsFromJson } from '../../../../src/machine/argv/parts-from-json.ts';
import { observe } from '../../../../src/machine/plug/observe.ts';
import { type Plan, type PlanFacts, planChanges } from '../../../../src/machine/plug/plan.ts';
import type { Reality } from '../../../../src/machine/plug/reality.ts';
import { type FreeCpu, sortCpus } from '../../../../src/machine/plug/room.ts';
import type { Running } from '../../../../src/machine/plug/running.ts';
import { argvRequest } from '../../../support/argv-configs.ts';

const parts = (text: string): Part[] => describeMachine(argvRequest({ title: '', text }));

/** As the machine of that cfg runs: read from the record of its start. */
function started(text: string, more: Partial<Running> = {}): Running {
  const read = partsFromJson(JSON.parse(JSON.stringify(parts(text))));
  assert.ok(read);
  return { config: text, parts: read, plugged: [], leaving: {}, ...more };
}

const NO_FACTS: PlanFacts = { occupied: new Set(), taps: [], otherKeys: [], freeCpus: [], qemuMajor: 10 };

function plan(before: string, after: string, facts: Partial<PlanFacts> = {}, more: Partial<Running> = {}): Plan {
  return planChanges(started(before, more), parts(after), { ...NO_FACTS, ...facts });
}

/** `plug DSK2 dsk2-dev@hp1`. */
function steps({ steps: each }: Plan): string[] {
  return each.map((step) => {
    const devices = 'parts' in step ? step.parts.filter((part) => part.kind === 'device') : [];
    const places = devices.map(({ id, bus, addr }) => `${id}@${bus}${addr === undefined ? '' : `/${addr}`}`);
    return [step.do, step.key, ...places].join(' ');
  });
}

const stuck = ({ keys }: Plan): string[] => keys.flatMap(({ key, how }) => (how === 'restart' ? [key] : []));

const DISK = 'DSK1=a.img\n';

test('a machine that runs what its file says has nothing to do', () => {
  for (const text of ['', 'MACHINE=pc\nDSK1=a.img\nCDR1=empty\nNIC1=e1000\n', 'MACHINE=virt\nCDR1=x.iso\n']) {
    assert.deepEqual(plan(text, text), { steps: [], keys: [] });
  }
});

test('disks and cards that are new go into the free ports of q35, and into their own slots on pc', () => {
  const added = `${DISK}DSK2=b.img,bootindex=0\nDSK3=c.img,if=nvme\nNIC1=virtio,net=user\n`;
  assert.deepEqual(steps(plan(DISK, added)), [
    'plug DSK2 dsk2-dev@hp1',
    'plug DSK3 dsk3-dev@hp2',
    'plug NIC1 nic1@hp3',
  ]);
  const board = 'MACHINE=pc\n';
  assert.deepEqual(steps(plan(board + DISK, board + added)), [
    'plug DSK2 dsk2-dev@pci.0/0x11',
    'plug DSK3 dsk3-dev@pci.0/0x12',
    'plug NIC1 nic1@pci.0/0x8',
  ]);
});

test('a SCSI disk brings its controller along', () => {
  assert.deepEqual(steps(plan(DISK, `${DISK}DSK2=b.img,if=scsi\n`)), ['plug DSK2 scsi0@hp1 dsk2-dev@scsi0.0']);
});

test('a port that has something in it is not used again, whoever plugged that in', () => {
  const facts = { occupied: new Set(['hp1', 'hp3']) };
  assert.deepEqual(steps(plan(DISK, `${DISK}DSK2=b.img\nDSK3=c.img\n`, facts)), [
    'plug DSK2 dsk2-dev@hp2',
    'plug DSK3 dsk3-dev@hp4',
  ]);
});

test('the device past the last free port is named, and nothing is to be done', () => {
  const many = Array.from({ length: 9 }, (_, at) => `DSK${at + 2}=${at}.img\n`).join('');
  const full = plan(DISK, DISK + many);
  assert.deepEqual(stuck(full), ['DSK10']);
  assert.match(full.keys.find(({ how }) => how === 'restart')?.why ?? '', /all 8 hot-plug ports/);
  const none = plan(`${DISK}HOTPLUG=0\n`, `${DISK}HOTPLUG=0\nDSK2=b.img\n`);
  assert.match(none.keys[0]?.why ?? '', /HOTPLUG=0/);
});

test('what was plugged in is taken out first, and its port is used for what takes its place', () => {
  const before = { plugged: ['dsk2-dev'] };
  const running = started(`${DISK}DSK2=b.img\n`, before);
  const inPort: Running = {
    ...running,
    parts: running.parts.map((part) =>
      part.kind === 'device' && part.id === 'dsk2-dev' ? { ...part, bus: 'hp1', addr: undefined } : part,
    ),
  };
  const same = planChanges(inPort, parts(`${DISK}DSK2=b.img\n`), NO_FACTS);
  assert.deepEqual(same, { steps: [], keys: [] }, 'its place at a start is not a difference');
  const other = planChanges(inPort, parts(`${DISK}DSK2=c.img,if=nvme\n`), { ...NO_FACTS, occupied: new Set(['hp1']) });
  assert.deepEqual(steps(other), ['unplug DSK2 dsk2-dev@hp1', 'plug DSK2 dsk2-dev@hp1']);
  const gone = planChanges(inPort, parts(DISK), NO_FACTS);
  assert.deepEqual(steps(gone), ['unplug DSK2 dsk2-dev@hp1']);
  const unreleased = { ...inPort, leaving: { DSK2: '2026-01-01T00:00:00.000Z' } };
  assert.deepEqual(stuck(planChanges(unreleased, parts(`${DISK}DSK2=c.img\n`), NO_FACTS)), ['DSK2']);
});

test('what only a start can do needs one', () => {
  const cases: [before: string, after: string, keys: string[]][] = [
    ['RAM=1G\n', 'RAM=2G\nSMP=2\n', ['SMP', 'RAM']],
    ['', 'HOTPLUG=9\n', ['HOTPLUG']],
    ['', '[custom]\n-device edu\n', ['[custom]']],
    // In a place of q35 that lets nothing out.
    [`${DISK}DSK2=b.img\n`, DISK, ['DSK2']],
    // The guest would lose a disk that it uses.
    [DISK, 'DSK1=a.img,cache=none\n', ['DSK1']],
    ['MACHINE=pc\nDSK1=a.img\n', 'MACHINE=pc\nDSK1=a.img,serial=x\n', ['DSK1']],
    ['', 'DSK1=a.img,if=sata\n', ['DSK1']],
    ['', 'CDR1=empty\n', ['CDR1']],
    ['', 'DSK1=a.img,snapshot=on\n', ['DSK1']],
    ['', 'NIC1=virtio,net=passt\n', ['NIC1']],
    ['', 'NIC1=ne2k_isa,net=user\n', ['NIC1']],
  ];
  for (const [before, after, keys] of cases) assert.deepEqual(stuck(plan(before, after)), keys, after);
});

test('on pc what was there at the start can be taken out, and the ninth disk gets a slot for itself', () => {
  assert.deepEqual(steps(plan('MACHINE=pc\nDSK1=a.img\nNIC1=e1000\n', 'MACHINE=pc\nNIC1=virtio\n')), [
    'unplug NIC1 nic1@pci.0/0x8',
    'unplug DSK1 dsk1-dev@pci.0/0x10',
    'plug NIC1 nic1@pci.0/0x8',
  ]);
  const eight = Array.from({ length: 8 }, (_, at) => `DSK${at + 1}=${at}.img\n`).join('');
  const nine = plan(`MACHINE=pc\n${eight}`, `MACHINE=pc\n${eight}DSK9=i.img\n`);
  assert.deepEqual(steps(nine), ['plug DSK9 dsk9-dev@pci.0/0x1c']);
});

test('a disc is changed in its drive, and a tap moves without its card', () => {
  const discs = plan('CDR1=a.iso\nCDR2=empty\n', 'CDR1=empty\nCDR2=b.iso\n');
  assert.deepEqual(steps(discs), ['medium CDR1', 'medium CDR2']);
  assert.deepEqual(steps(plan('NIC1=virtio\n', 'NIC1=virtio,bridge=br7\n', { taps: [1] })), ['tap NIC1']);
});

test('how much a disk may move is set while it stays', () => {
  assert.deepEqual(steps(plan(DISK, 'DSK1=a.img,rate=5M\n')), ['throttle DSK1']);
  assert.deepEqual(steps(plan('DSK1=a.img,rate=5M\n', DISK)), ['throttle DSK1']);
  assert.deepEqual(stuck(plan('DSK1=a.img,rate=5M\n', 'DSK1=a.img,rate=6M,cache=none\n')), ['DSK1']);
});

test('processors and memory are plugged in as far as there is room, and what was plugged in counts', () => {
  const room = 'SMP=2\nMAXSMP=6\nRAM=256M\nMAXRAM=1G\n';
  const cpu = (core: number): FreeCpu => ({ type: 'max-x86_64-cpu', props: { 'socket-id': 1, 'core-id': core } });
  const freeCpus = sortCpus([cpu(3), cpu(2), cpu(1)]);
  const more = plan(room, room.replace('SMP=2', 'SMP=4').replace('256M', '512M'), { freeCpus });
  assert.deepEqual(steps(more), ['plug SMP cpu1@undefined cpu2@undefined', 'plug RAM dimm1@undefined']);
  const added = more.steps.flatMap((step) => ('parts' in step ? step.parts : []));
  assert.deepEqual(
    added.flatMap((part) => (part.kind === 'device' && part.key === 'SMP' ? [part.properties['core-id']] : [])),
    [1, 2],
  );
  const grown = started(room);
  const running = { ...grown, parts: [...grown.parts, ...added] };
  const now = (text: string): Plan => planChanges(running, parts(text), { ...NO_FACTS, freeCpus: [cpu(3)] });
  assert.deepEqual(now(room.replace('SMP=2', 'SMP=4').replace('256M', '512M')).keys, []);
  const other = now(room.replace('SMP=2', 'SMP=3').replace('256M', '1G'));
  assert.deepEqual(steps(other), ['unplug SMP cpu2@undefined', 'plug RAM dimm2@undefined']);
  const old = planChanges(running, parts(room.replace('SMP=2', 'SMP=3')), { ...NO_FACTS, qemuMajor: 7 });
  assert.match(old.keys[0]?.why ?? '', /^QEMU before version 10 may crash/);
  const refused = now(room.replace('SMP=2', 'SMP=6').replace('256M', '384M'));
  assert.deepEqual(stuck(refused), ['SMP', 'RAM']);
  assert.deepEqual(stuck(plan(room, room.replace('256M', '300M'))), ['RAM']);
  assert.deepEqual(stuck(plan(room, room.replace('MAXRAM=1G', 'MAXRAM=2G').replace('MAXSMP=6', 'MAXSMP=9'))), [
    'SMP',
    'RAM',
  ]);
});

const SEEN: Reality = {
  devices: new Set(),
  objects: new Set(),
  nodes: new Set(),
  jobs: new Map(),
  netdevs: new Set(),
  media: new Map(),
  occupied: new Set(),
  freeCpus: [],
  qemuMajor: 10,
};

function idsOf(text: string): Set<string> {
  return new Set(parts(text).flatMap((part) => (part.kind === 'device' ? (part.id ?? []) : [])));
}

test('what QEMU has counts: a device that is not there is what is left of one', () => {
  const text = `${DISK}DSK2=b.img,iothread=on\nNIC1=virtio,net=user\nCDR1=a.iso\n`;
  const noted = { ...started(text), leaving: { DSK2: 'then', NIC1: 'then' } };
  const devices = idsOf(text);
  devices.delete('dsk2-dev');
  const media = new Map([
    ['dsk1-dev', { file: '/etc/qemu/moved.img', format: 'qcow2' }],
    ['cdr1-dev', { file: '/etc/qemu/b.iso', format: 'raw' }],
  ]);
  const { running, leftovers } = observe(noted, { ...SEEN, devices, media });
  assert.deepEqual(
    leftovers.map((part) => part.kind),
    ['drive', 'object', 'device'],
  );
  assert.deepEqual(Object.keys(running.leaving), ['NIC1']);
  assert.equal(running.config, text.replace(/^DSK2.*\n/m, ''));
  const moved = text.replace('a.img', 'moved.img').replace(/^DSK2.*\n/m, '');
  const { keys } = planChanges(running, parts(moved), NO_FACTS);
  // The record of images in this test has no formats of its own.
  assert.deepEqual(keys, [
    { key: 'DSK1', how: 'restart', why: undefined },
    { key: 'CDR1', how: 'live' },
  ]);
});

test('a disk on a controller that stays is gone when its device is', () => {
  const text = `${DISK}DSK2=b.img,if=scsi\n`;
  const devices = idsOf(text);
  devices.delete('dsk2-dev');
  const { running } = observe({ ...started(text), leaving: { DSK2: 'then' } }, { ...SEEN, devices });
  assert.deepEqual(running.leaving, {});
  assert.equal(running.config, DISK);
  assert.deepEqual(planChanges(running, parts(text), NO_FACTS).keys, [{ key: 'DSK2', how: 'live' }]);
});
