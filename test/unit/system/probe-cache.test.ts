import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { askOnce, type CacheEntry, cacheEntry, isScript } from '../../../src/system/probe/probe-cache.ts';
import { type Cleanup, tempDir } from '../../support/temp-root.ts';

/** A "binary" and a question about it that counts how often it is really asked. */
function setUp(t: Cleanup, condition: string[] = []) {
  const dir = tempDir(t);
  const binary = join(dir, 'binary');
  const cacheDir = join(dir, 'cache/probes');
  writeFileSync(binary, 'v1');
  let asked = 0;
  const question = {
    ask: async () => {
      await new Promise(setImmediate);
      asked += 1;
      return `answer ${asked}`;
    },
    accept: (value: unknown): value is string => typeof value === 'string',
  };
  const entry = () => cacheEntry(cacheDir, 'test', binary, condition);
  return { dir, binary, cacheDir, question, entry, ask: () => askOnce(entry(), undefined, question) };
}

function fileOf({ dir, name }: CacheEntry): string {
  return join(dir, name);
}

test('a question is asked once, also when many ask at the same time', async (t) => {
  const { ask, cacheDir } = setUp(t);
  assert.deepEqual(new Set(await Promise.all([ask(), ask(), ask()])), new Set(['answer 1']));
  assert.equal(await ask(), 'answer 1');
  assert.equal(readdirSync(cacheDir).length, 1);
});

test('a changed binary is asked again: by size, by time, by what a link leads to', async (t) => {
  const { dir, binary, ask, cacheDir, question } = setUp(t);
  assert.equal(await ask(), 'answer 1');
  writeFileSync(binary, 'longer');
  assert.equal(await ask(), 'answer 2');
  utimesSync(binary, 1, 1);
  assert.equal(await ask(), 'answer 3');
  symlinkSync('binary', join(dir, 'link'));
  writeFileSync(join(dir, 'other'), 'longer');
  const linked = () => askOnce(cacheEntry(cacheDir, 'test', join(dir, 'link')), undefined, question);
  assert.equal(await linked(), 'answer 4');
  assert.equal(await linked(), 'answer 4');
  assert.equal(await ask(), 'answer 3');
});

test('an answer under another condition does not count', async (t) => {
  const condition = ['boot 1'];
  const { ask } = setUp(t, condition);
  assert.equal(await ask(), 'answer 1');
  condition[0] = 'boot 2';
  assert.equal(await ask(), 'answer 2');
});

for (const damage of ['', '{', 'null', '[]', '{"version":1}', '{"version":1,"key":"k","answer":"wrong"}']) {
  test(`a stored answer that was damaged to «${damage}» is replaced`, async (t) => {
    const { ask, entry } = setUp(t);
    await ask();
    writeFileSync(fileOf(entry()), damage);
    assert.equal(await ask(), 'answer 2');
    assert.equal(await ask(), 'answer 2');
  });
}

test('a stored answer that was cut, of another version, or of another form is replaced', async (t) => {
  const { ask, entry } = setUp(t);
  await ask();
  truncateSync(fileOf(entry()), 30);
  assert.equal(await ask(), 'answer 2');
  writeFileSync(fileOf(entry()), readFileSync(fileOf(entry()), 'utf8').replace(/"version":\d+/, '"version":0'));
  assert.equal(await ask(), 'answer 3');
  writeFileSync(fileOf(entry()), readFileSync(fileOf(entry()), 'utf8').replace('"answer 3"', '3'));
  assert.equal(await ask(), 'answer 4');
});

test('without a place to store it an answer is kept in memory for a while', async (t) => {
  const { ask, dir, entry } = setUp(t);
  writeFileSync(join(dir, 'cache'), 'a file where a folder should be');
  assert.deepEqual([await ask(), await ask()], ['answer 1', 'answer 1']);
  assert.deepEqual(readdirSync(dir).sort(), ['binary', 'cache']);
  t.mock.method(performance, 'now', () => Number.MAX_SAFE_INTEGER);
  assert.equal(await ask(), 'answer 2');
  assert.ok(entry().dir);
});

test('an answer that does not last is not stored', async (t) => {
  const { entry, question, cacheDir } = setUp(t);
  const ask = () => askOnce(entry(), undefined, { ...question, isLasting: false });
  mkdirSync(cacheDir, { recursive: true });
  assert.deepEqual([await ask(), await ask()], ['answer 1', 'answer 1']);
  assert.deepEqual(readdirSync(cacheDir), []);
});

test('a question that fails is asked again by the next one', async (t) => {
  const { entry, question } = setUp(t);
  const failing = askOnce(entry(), undefined, { ...question, ask: () => Promise.reject(new Error('no')) });
  const next = askOnce(entry(), undefined, question);
  await assert.rejects(failing, { message: 'no' });
  assert.equal(await next, 'answer 1');
});

test('a call that waits for the answer to another one can be aborted', async (t) => {
  const { entry, question } = setUp(t);
  const abort = new AbortController();
  let answer = (_text: string): void => {};
  const ask = () =>
    new Promise<string>((resolve) => {
      answer = resolve;
    });
  const first = askOnce(entry(), undefined, { ...question, ask });
  const waiting = askOnce(entry(), abort.signal, question);
  abort.abort();
  await assert.rejects(waiting, { code: 'QEMU_ABORTED' });
  answer('late');
  assert.equal(await first, 'late');
});

test('isScript() tells a script from a binary', (t) => {
  const dir = tempDir(t);
  writeFileSync(join(dir, 'script'), '#!/bin/sh\n');
  writeFileSync(join(dir, 'empty'), '');
  assert.equal(isScript(join(dir, 'script')), true);
  assert.equal(isScript(join(dir, 'empty')), false);
  assert.equal(isScript(process.execPath), false);
});
