import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseBlockDevices } from '../../../src/domain/block-device.ts';
import { parseBlockStats } from '../../../src/domain/block-stats.ts';
import { parseCpus } from '../../../src/domain/cpu.ts';
import type { Domain } from '../../../src/domain/domain.ts';
import { parsePciDevices } from '../../../src/domain/pci-device.ts';
import { fakeDomain } from './support.ts';

const QCOW2 = {
  compat: '1.1',
  'compression-type': 'zlib',
  'lazy-refcounts': false,
  'refcount-bits': 16,
  corrupt: false,
};

const IMAGE = {
  'virtual-size': 8388608,
  filename: '/srv/base.qcow2',
  'cluster-size': 65536,
  format: 'qcow2',
  'actual-size': 200704,
  'format-specific': { type: 'qcow2', data: QCOW2 },
  'dirty-flag': false,
};

/** As QEMU 7.2.22 answers for an empty CD drive, a `-drive` and a `-blockdev`. */
const QUERY_BLOCK = [
  {
    'io-status': 'ok',
    device: 'cd1',
    locked: false,
    removable: true,
    qdev: 'cdd',
    tray_open: false,
    type: 'unknown',
  },
  {
    'io-status': 'ok',
    device: 'd2',
    locked: false,
    removable: false,
    inserted: {
      iops_rd: 0,
      detect_zeroes: 'off',
      image: IMAGE,
      iops_wr: 0,
      group: 'd2',
      ro: true,
      'node-name': '#block325',
      backing_file_depth: 0,
      drv: 'qcow2',
      iops: 0,
      bps_wr: 0,
      write_threshold: 0,
      encrypted: false,
      bps: 1000000,
      bps_rd: 0,
      cache: { 'no-flush': false, direct: false, writeback: true },
      file: '/srv/base.qcow2',
    },
    qdev: '/machine/peripheral/vd2/virtio-backend',
    type: 'unknown',
  },
  {
    device: '',
    locked: false,
    removable: false,
    inserted: {
      image: { ...IMAGE, filename: 'top.qcow2', 'backing-image': IMAGE, 'backing-filename': '/srv/base.qcow2' },
      ro: false,
      'node-name': 'n1',
      backing_file_depth: 1,
      drv: 'qcow2',
      backing_file: '/srv/base.qcow2',
      file: 'top.qcow2',
    },
    qdev: '/machine/peripheral/vd1/virtio-backend',
    type: 'unknown',
  },
];

/** Classes of devices keep their domain and nothing here asks it. */
const NO_DOMAIN = {} as Domain;

test('drives are told with all that QEMU says of them, with and without a medium', () => {
  const [cd, drive, blockdev] = parseBlockDevices(NO_DOMAIN, QUERY_BLOCK);
  assert.equal(cd?.inserted, undefined);
  assert.deepEqual([cd?.trayOpen, cd?.removable, cd?.ioStatus], [false, true, 'ok']);
  assert.equal(drive?.trayOpen, undefined);
  const { raw, ...inserted } = drive?.inserted ?? assert.fail('the drive is empty');
  assert.equal(raw['group'], 'd2');
  assert.deepEqual(inserted, {
    file: '/srv/base.qcow2',
    nodeName: '#block325',
    driver: 'qcow2',
    readOnly: true,
    encrypted: false,
    backingFile: undefined,
    backingFileDepth: 0,
    cache: { direct: false, noFlush: false, writeback: true },
    detectZeroes: 'off',
    bps: 1000000,
    bpsRead: 0,
    bpsWrite: 0,
    iops: 0,
    iopsRead: 0,
    iopsWrite: 0,
    writeThreshold: 0,
    image: {
      filename: '/srv/base.qcow2',
      format: 'qcow2',
      virtualSize: 8388608,
      actualSize: 200704,
      clusterSize: 65536,
      dirty: false,
      backingFilename: undefined,
      backingFilenameFormat: undefined,
      backingImage: undefined,
      formatSpecific: {
        type: 'qcow2',
        compat: '1.1',
        corrupt: false,
        lazyRefcounts: false,
        refcountBits: 16,
        raw: QCOW2,
      },
    },
  });
  assert.equal(blockdev?.device, '');
  assert.equal(blockdev?.inserted?.image.backingImage?.filename, '/srv/base.qcow2');
});

test('a drive is found by device name, id, path and node name, and by nothing else', async (t) => {
  const { domain } = await fakeDomain(t, { 'query-block': () => QUERY_BLOCK });
  for (const name of ['vd1', '/machine/peripheral/vd1/virtio-backend', 'n1']) {
    assert.equal((await domain.blockDevice(name)).inserted?.nodeName, 'n1', name);
  }
  assert.equal((await domain.blockDevice('cdd')).device, 'cd1');
  assert.equal((await domain.blockDevice('d2')).device, 'd2');
  for (const name of ['', 'machine', 'peripheral', 'virtio-backend', 'vd']) {
    await assert.rejects(domain.blockDevice(name), { code: 'QEMU_DEVICE_UNKNOWN' }, name);
  }
});

test('an operation on an empty drive says that it is empty', async (t) => {
  const { domain } = await fakeDomain(t, { 'query-block': () => QUERY_BLOCK });
  const cd = await domain.blockDevice('cd1');
  await assert.rejects(cd.snapshot('/srv/over.qcow2', 'over'), { code: 'QEMU_USAGE', message: 'Drive "cd1" is empty' });
});

test('counters keep the device, and those that this version does not know stay readable', () => {
  const [stats, missing] = parseBlockStats([
    {
      device: '',
      qdev: '/machine/peripheral/vd1/virtio-backend',
      'node-name': 'n1',
      stats: {
        rd_bytes: 512,
        wr_highest_offset: 2n ** 60n,
        account_failed: true,
        idle_time_ns: 5,
        zone_append_bytes: 7,
      },
    },
    { device: 'cd1' },
  ]);
  assert.deepEqual([stats?.nodeName, stats?.readBytes, stats?.idleTimeNs, stats?.accountFailed], ['n1', 512, 5, true]);
  assert.equal(stats?.writeHighestOffset, 2 ** 60);
  assert.equal(stats?.raw['zone_append_bytes'], 7);
  assert.deepEqual([missing?.device, missing?.readBytes, missing?.idleTimeNs], ['cd1', 0, undefined]);
});

test('PCI devices behind bridges behind bridges are told too, and a BAR without an address has none', () => {
  const device = (slot: number, more: object = {}): object => ({
    bus: 0,
    qdev_id: `d${slot}`,
    slot,
    class_info: { class: 256 },
    id: { device: 4097, vendor: 6900 },
    function: 0,
    regions: [{ bar: 0, size: 128, address: -1, type: 'io' }],
    ...more,
  });
  const inner = device(3, { pci_bridge: { bus: {}, devices: [device(4)] } });
  const outer = device(2, { pci_bridge: { bus: {}, devices: [inner] } });
  const devices = parsePciDevices([
    { bus: 0, devices: [device(1), outer] },
    { bus: 128, devices: [device(5)] },
  ]);
  assert.deepEqual(
    devices.map(({ slot }) => slot),
    [1, 2, 3, 4, 5],
  );
  assert.deepEqual(devices[0]?.regions, [
    { bar: 0, type: 'io', address: undefined, size: 128, prefetch: false, memType64: false },
  ]);
  assert.deepEqual(devices[0]?.classInfo, { class: 256, description: undefined });
});

test('processors are told, whatever their architecture', () => {
  const props = { 'core-id': 0, 'thread-id': 0, 'socket-id': 0 };
  const answer = [{ 'thread-id': 7300, props, 'qom-path': '/machine/cpu', 'cpu-index': 0, target: 's390x' }];
  assert.deepEqual(parseCpus(answer), [{ index: 0, threadId: 7300, qomPath: '/machine/cpu', target: 's390x', props }]);
});

test('answers of another shape read as nothing and do not throw', () => {
  for (const answer of [undefined, null, 1, 'text', {}, [null], [[]], [{ inserted: 'x', stats: 1, devices: {} }]]) {
    for (const parse of [parseBlockStats, parseCpus, parsePciDevices]) assert.ok(Array.isArray(parse(answer)));
    assert.ok(Array.isArray(parseBlockDevices(NO_DOMAIN, answer)));
  }
});
