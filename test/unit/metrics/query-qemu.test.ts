import assert from 'node:assert/strict';
import { test } from 'node:test';
import { familiesOf } from '../../../src/metrics/families.ts';
import { renderFamilies } from '../../../src/metrics/prometheus.ts';
import { queryQemu } from '../../../src/metrics/query-qemu.ts';
import { QmpClient } from '../../../src/qmp/client.ts';
import { FakeQmpServer } from '../../../src/testing/index.ts';
import { parsePrometheus } from '../../support/prometheus-text.ts';
import { sampleOf } from './sample-of.ts';

test('a captured QEMU makes no metrics that Prometheus refuses, nor any number of them', async (t) => {
  const disk = { device: 'dsk1', stats: Object.fromEntries(COUNTERS.map((name) => [name, 1])) };
  const cpu = { 'cpu-index': 0, 'thread-id': process.pid, 'qom-path': '', target: 'x', props: {} };
  const job = { id: 'a"} 1\n\\', type: 'backup', status: 'running', 'current-progress': 1, 'total-progress': 2 };
  const fake = await FakeQmpServer.start({
    commands: {
      'query-blockstats': () => [disk, disk, { ...disk, device: `dsk${'1'.repeat(5000)}` }],
      'query-block': () => [],
      'query-jobs': () => [job, job, ...Array.from({ length: 5000 }, (_, at) => ({ ...job, id: `${at}`.repeat(100) }))],
      'query-cpus-fast': () => [cpu, cpu],
      'query-balloon': () => ({ actual: 1 }),
    },
  });
  const client = await QmpClient.connect(fake.address);
  t.after(async () => {
    await client.close();
    await fake.close();
  });
  const sample = await queryQemu(client, process.pid, 30_000);
  const text = renderFamilies(familiesOf([sampleOf('web', {}, sample)], { seconds: 0 }));
  const series = parsePrometheus(text);
  assert.equal(series.filter(({ name }) => name === 'qemu_machine_vcpu_seconds_total').length, 1);
  assert.equal(series.filter(({ name }) => name === 'qemu_machine_disk_read_bytes_total').length, 1);
  assert.equal(series.find(({ labels }) => labels['job']?.startsWith('a'))?.labels['job'], job.id);
  assert.ok(text.length < 1_000_000, `${text.length} characters`);
});

test('drives that were plugged in later, jobs without an end and a machine without a balloon are in a sample', async (t) => {
  const stats = Object.fromEntries(COUNTERS.map((name) => [name, 2_000_000_000]));
  const image = { filename: '/a', format: 'raw', 'virtual-size': 8, 'actual-size': 4 };
  const fake = await FakeQmpServer.start({
    commands: {
      'query-blockstats': () => [
        { device: '', qdev: '/machine/peripheral/dsk2-dev/virtio-backend', stats },
        { device: 'cdr1', stats },
        { device: 'pflash0', stats },
      ],
      'query-block': () => [
        {
          device: '',
          qdev: '/machine/peripheral/dsk2-dev/virtio-backend',
          inserted: { image },
          'io-status': 'nospace',
        },
        { device: 'cdr1' },
      ],
      'query-jobs': () => [{}],
      'query-cpus-fast': () => [{ 'cpu-index': 0, 'thread-id': 2 ** 30, 'qom-path': '', target: 'x', props: {} }],
    },
  });
  const client = await QmpClient.connect(fake.address);
  t.after(async () => {
    await client.close();
    await fake.close();
  });
  const { disks, jobs, vcpuSeconds, balloonBytes } = await queryQemu(client, process.pid, 30_000);
  assert.deepEqual(
    disks.map(({ disk, sizeBytes, allocatedBytes, ioStatus, readSeconds }) => [
      disk,
      sizeBytes,
      allocatedBytes,
      ioStatus,
      readSeconds,
    ]),
    [
      ['dsk2', 8, 4, 'nospace', 2],
      ['cdr1', undefined, undefined, 'ok', 2],
    ],
  );
  assert.deepEqual(jobs, [{ job: '', type: '', ratio: 0, done: 0, total: 0 }]);
  assert.deepEqual([vcpuSeconds, balloonBytes], [[], undefined]);
});

const COUNTERS = [
  ...['rd', 'wr', 'flush', 'unmap', 'failed_rd', 'failed_wr', 'failed_flush', 'invalid_rd', 'invalid_wr'].map(
    (name) => `${name}_operations`,
  ),
  ...['invalid_flush_operations', 'rd_bytes', 'wr_bytes', 'unmap_bytes', 'rd_merged', 'wr_merged'],
  ...['rd_total_time_ns', 'wr_total_time_ns', 'flush_total_time_ns', 'wr_highest_offset'],
];
