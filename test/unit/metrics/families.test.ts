import assert from 'node:assert/strict';
import { test } from 'node:test';
import { familiesOf } from '../../../src/metrics/families.ts';
import { renderFamilies } from '../../../src/metrics/prometheus.ts';
import { parsePrometheus } from '../../support/prometheus-text.ts';
import { diskOf, sampleOf } from './sample-of.ts';

const NIC = {
  nic: 'nic1',
  receivedBytes: 10,
  transmittedBytes: 20,
  receivedPackets: 1,
  transmittedPackets: 2,
  receiveDropped: 0,
  transmitDropped: 0,
};

const SAMPLES = [
  sampleOf(
    'web',
    { shortName: 'w' },
    {
      disks: [{ ...diskOf('dsk1', 5, 6), ioStatus: 'nospace' }],
      nics: [NIC],
      jobs: [{ job: 'j', type: 'backup', ratio: 0.5, done: 1, total: 2 }],
    },
  ),
  sampleOf('db', { state: 'unresponsive' }, { answers: false, disks: [], vcpuSeconds: [], balloonBytes: undefined }),
  sampleOf('old.one', { os: 'a "b" \\ c\nd', saved: true }),
];

const text = renderFamilies(familiesOf(SAMPLES, { seconds: 0.25 }));

test('the metrics keep to the format, and every value is there', () => {
  const series = parsePrometheus(text);
  const value = (name: string, labels: Readonly<Record<string, string>>): number | undefined =>
    series.find(
      (each) => each.name === name && Object.entries(labels).every(([key, word]) => each.labels[key] === word),
    )?.value;
  assert.equal(value('qemu_machine_state', { machine: 'web', state: 'running' }), 1);
  assert.equal(value('qemu_machine_state', { machine: 'web', state: 'stopped' }), 0);
  assert.equal(value('qemu_machine_answers', { machine: 'db' }), 0);
  assert.equal(value('qemu_machine_answers', { machine: 'old.one' }), undefined);
  assert.equal(value('qemu_machine_cpu_seconds_total', { machine: 'web', mode: 'user' }), 1);
  assert.equal(value('qemu_machine_disk_written_bytes_total', { machine: 'web', disk: 'dsk1' }), 6);
  assert.equal(value('qemu_machine_disk_errors', { machine: 'web', error: 'nospace' }), 1);
  assert.equal(value('qemu_machine_network_transmit_bytes_total', { machine: 'web', nic: 'nic1' }), 20);
  assert.equal(value('qemu_machine_job_progress_ratio', { machine: 'web', type: 'backup' }), 0.5);
  assert.equal(value('qemu_machine_saved', { machine: 'old.one' }), 1);
  assert.equal(value('qemu_host_machines', { state: 'running' }), 1);
  assert.equal(value('qemu_scrape_errors', {}), 1);
  assert.equal(value('qemu_scrape_duration_seconds', {}), 0.25);
});

test('quotes, backslashes and line ends in labels do not break the text', () => {
  const info = parsePrometheus(text).find(
    ({ name, labels }) => name === 'qemu_machine_info' && labels['machine'] === 'old.one',
  );
  assert.equal(info?.labels['os'], 'a "b" \\ c\nd');
});

test('a host without machines has metrics', () => {
  const series = parsePrometheus(renderFamilies(familiesOf([], { seconds: 0 })));
  assert.ok(series.every(({ name }) => name.startsWith('qemu_host_') || name.startsWith('qemu_scrape_')));
});
