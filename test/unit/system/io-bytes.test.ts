import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { readIoBytes } from '../../../src/system/process/io-bytes.ts';

test('what a process reads is counted; of one that is gone nothing is known', (t) => {
  const before = readIoBytes(process.pid);
  if (before === undefined) return t.skip('this kernel does not count it');
  const { length } = readFileSync(process.execPath);
  const after = readIoBytes(process.pid);
  assert.ok(after !== undefined && after.read - before.read >= length);
  assert.ok(after.written >= before.written);
  assert.equal(readIoBytes(2 ** 22 + 1), undefined);
});
