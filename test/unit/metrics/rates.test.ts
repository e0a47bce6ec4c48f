import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ratesOf } from '../../../src/metrics/rates.ts';
import { diskOf, sampleOf } from './sample-of.ts';

const before = sampleOf('web', { atMs: 1000 }, { userSeconds: 1, systemSeconds: 1, disks: [diskOf('dsk1', 100, 50)] });

test('rates are differences by time', () => {
  const now = sampleOf(
    'web',
    { atMs: 3000 },
    { userSeconds: 2, systemSeconds: 1.5, disks: [diskOf('dsk1', 300, 50), diskOf('dsk2', 40, 0)] },
  );
  assert.deepEqual(ratesOf(before, now), {
    cpuPercent: 75,
    readBytesPerSecond: 120,
    writtenBytesPerSecond: 0,
    receivedBytesPerSecond: 0,
    transmittedBytesPerSecond: 0,
  });
});

test('there are no rates without an earlier sample of the same run', () => {
  assert.equal(ratesOf(undefined, before), undefined);
  assert.equal(ratesOf(before, sampleOf('web', { atMs: 3000 }, { pid: 200 })), undefined);
  assert.equal(ratesOf(before, sampleOf('web', { atMs: 3000 })), undefined);
  assert.equal(ratesOf(before, before), undefined);
});

test('a counter that fell counts from nothing', () => {
  const now = sampleOf('web', { atMs: 2000 }, { userSeconds: 0, systemSeconds: 0, disks: [diskOf('dsk1', 30, 0)] });
  const rates = ratesOf(before, now);
  assert.equal(rates?.readBytesPerSecond, 30);
  assert.equal(rates?.cpuPercent, 0);
});
