import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { LineSplitter } from '../../../src/qmp/line-splitter.ts';

function split(chunks: readonly (string | Uint8Array)[], maxBytes = 1000): string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter(maxBytes, (line) => lines.push(line));
  for (const chunk of chunks) splitter.push(Buffer.from(chunk));
  return lines;
}

test('lines come out whole, however the bytes were cut', () => {
  const text = Buffer.from('{"a": "é😀"}\r\n\r\n{"b": 1}\n \n{"c": 2}\r\n');
  for (let first = 0; first <= text.length; first += 1) {
    for (let second = first; second <= text.length; second += 1) {
      const chunks = [text.subarray(0, first), text.subarray(first, second), text.subarray(second)];
      assert.deepEqual(split(chunks), ['{"a": "é😀"}', '{"b": 1}', '{"c": 2}']);
    }
  }
});

test('the limit holds for a line in one chunk and in many, and lines before it are handed out', () => {
  const lines: string[] = [];
  const splitter = new LineSplitter(5, (line) => lines.push(line));
  splitter.push(Buffer.from('12345\n'));
  assert.throws(() => splitter.push(Buffer.from('ok\n123456\n')), { code: 'QEMU_QMP_PROTOCOL' });
  assert.deepEqual(lines, ['12345', 'ok']);
  const slow = new LineSplitter(5, (line) => lines.push(line));
  slow.push(Buffer.from('123'));
  assert.throws(() => slow.push(Buffer.from('456')), { code: 'QEMU_QMP_PROTOCOL' });
});

test('a 200 KB line that comes one byte at a time costs a number of steps that is linear in its length', (t) => {
  const work = countWork(t);
  const cost = (bytes: number): number => {
    const splitter = new LineSplitter(1_000_000, () => {});
    const before = work();
    for (let n = 0; n < bytes; n += 1) splitter.push(Buffer.from('x'));
    splitter.push(Buffer.from('\n'));
    return work() - before;
  };
  const half = cost(100_000);
  const whole = cost(200_000);
  assert.ok(whole <= 2.5 * half, `${half} steps for 100 KB, ${whole} for 200 KB`);
  assert.ok(whole <= 10 * 200_000, `${whole} steps`);
});

/** Bytes that buffers searched, copied or decoded so far. */
function countWork(t: TestContext): () => number {
  let bytes = 0;
  const original = { indexOf: Buffer.prototype.indexOf, copy: Buffer.prototype.copy, text: Buffer.prototype.toString };
  t.after(() => {
    Buffer.prototype.indexOf = original.indexOf;
    Buffer.prototype.copy = original.copy;
    Buffer.prototype.toString = original.text;
  });
  // Not `t.mock.method`: it keeps every call.
  Buffer.prototype.indexOf = function (...args: Parameters<Buffer['indexOf']>) {
    bytes += this.length;
    return original.indexOf.apply(this, args);
  };
  Buffer.prototype.copy = function (...args: Parameters<Buffer['copy']>) {
    const copied = original.copy.apply(this, args);
    bytes += copied;
    return copied;
  };
  Buffer.prototype.toString = function (...args: Parameters<Buffer['toString']>) {
    bytes += this.length;
    return original.text.apply(this, args);
  };
  return () => bytes;
}
