import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { QemuError } from '../../../src/base/errors.ts';
import {
  answerLive,
  askLive,
  liveProgress,
  readLiveProgress,
  takeLive,
  takeLiveAnswer,
} from '../../../src/fleet/service/asked-live.ts';
import { resolvePaths } from '../../../src/system/paths.ts';

test('a unit is asked once for a live restart, and the command that asked gets the answer once', (t) => {
  const root = mkdtempSync('/tmp/qi-asked-');
  t.after(() => rmSync(root, { recursive: true }));
  const paths = resolvePaths({ root }, {}, 0, '/');
  assert.equal(takeLive(paths, 'web'), undefined);
  askLive(paths, 'web', { rate: 1000, downtimeMs: undefined, timeoutMs: 5000 });
  assert.deepEqual(takeLive(paths, 'web'), { rate: 1000, downtimeMs: undefined, timeoutMs: 5000 });
  assert.equal(takeLive(paths, 'web'), undefined);
  const result = {
    outcome: 'restarted',
    before: '7.2.22',
    after: '10.0.13',
    state: 'running',
    pid: 7,
    downtimeMs: 100,
    transferredBytes: 4096,
    problems: [],
    seconds: 1,
  } as const;
  const notices = [
    { level: 'info', message: 'it stands still' },
    { level: 'debug', message: 'a step' },
  ] as const;
  answerLive(paths, 'web', { result, notices });
  assert.deepEqual(takeLiveAnswer(paths, 'web'), { result, error: undefined, notices: notices.slice(0, 1) });
  assert.equal(takeLiveAnswer(paths, 'web'), undefined);
  answerLive(paths, 'web', { error: new QemuError('QEMU_TIMEOUT', 'too slow', { hint: 'wait' }), notices: [] });
  const { error } = takeLiveAnswer(paths, 'web') ?? {};
  assert.deepEqual([error?.code, error?.message, error?.hint], ['QEMU_TIMEOUT', 'too slow', 'wait']);
  answerLive(paths, 'web', { error: new Error('a fault'), notices: [] });
  assert.equal(takeLiveAnswer(paths, 'web')?.error, undefined);
  writeFileSync(join(root, 'run/qemu-init/.live/web.json'), '{"rate":');
  assert.equal(takeLive(paths, 'web'), undefined);
  assert.equal(existsSync(join(root, 'run/qemu-init/.live/web.json')), false);
});

test('how far it is can be read until there is an answer', (t) => {
  const root = mkdtempSync('/tmp/qi-asked-');
  t.after(() => rmSync(root, { recursive: true }));
  const paths = resolvePaths({ root }, {}, 0, '/');
  assert.equal(readLiveProgress(paths, 'web'), undefined);
  const tell = liveProgress(paths, 'web');
  tell({ phase: 'sending', done: 5, total: 10 });
  // Once in a while is enough.
  tell({ phase: 'sending', done: 6, total: 10, bytesPerSecond: 1 });
  assert.deepEqual(readLiveProgress(paths, 'web'), {
    phase: 'sending',
    done: 5,
    total: 10,
    bytesPerSecond: undefined,
  });
  liveProgress(paths, 'web')({ phase: 'sending', done: 6, total: 10, bytesPerSecond: 1 });
  assert.equal(readLiveProgress(paths, 'web')?.bytesPerSecond, 1);
  answerLive(paths, 'web', { error: new Error('x'), notices: [] });
  assert.equal(readLiveProgress(paths, 'web'), undefined);
});
