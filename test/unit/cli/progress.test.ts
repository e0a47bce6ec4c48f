import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Output } from '../../../src/cli/output/output.ts';
import { ProgressDisplay, progressText, showProgress } from '../../../src/cli/output/progress.ts';
import { sizeText } from '../../../src/cli/output/sizes.ts';

const MIB = 1024 ** 2;

test('sizes have three digits and the unit that fits', () => {
  const sizes = [0, 512, 1023, 1024, 1536 * 1024, 1024 ** 3 - 1, 20 * 1024 ** 3, 123.4 * MIB, 5000 * 1024 ** 5];
  assert.deepEqual(sizes.map(sizeText), [
    '0 B',
    '512 B',
    '1023 B',
    '1 KiB',
    '1.5 MiB',
    '1 GiB',
    '20 GiB',
    '123 MiB',
    '5000 PiB',
  ]);
});

test('progress is shown with percent, bytes, rate and the time left', () => {
  const progress = { phase: 'copying DSK1', done: 25 * MIB, total: 100 * MIB };
  assert.equal(progressText(progress, 5 * MIB), 'copying DSK1, 25 %, 25 MiB of 100 MiB, 5 MiB/s, 0:15 left');
  assert.equal(progressText(progress, undefined, 8), 'copying DSK1 [##......] 25 %, 25 MiB of 100 MiB');
  assert.equal(
    progressText({ ...progress, done: 0, total: 7200 * MIB }, MIB),
    'copying DSK1, 0 %, 0 B of 7 GiB, 1 MiB/s, 2:00:00 left',
  );
  assert.equal(progressText({ ...progress, total: 0 }, undefined), 'copying DSK1, 25 MiB');
  assert.equal(progressText({ ...progress, done: 0, total: 0 }, undefined, 8), 'copying DSK1');
  assert.equal(
    progressText({ ...progress, done: 101 * MIB }, MIB),
    'copying DSK1, 100 %, 100 MiB of 100 MiB, 1 MiB/s, 0:00 left',
  );
});

/** What is written to stderr meanwhile. */
function written(isTerminal: boolean, body: () => void): string {
  const { write, isTTY } = process.stderr;
  let text = '';
  process.stderr.isTTY = isTerminal;
  process.stderr.write = (chunk: string) => {
    text += chunk;
    return true;
  };
  try {
    body();
  } finally {
    process.stderr.write = write;
    process.stderr.isTTY = isTTY;
  }
  return text;
}

test('without a terminal a line appears every ten seconds', () => {
  let now = 0;
  const text = written(false, () => {
    const display = new ProgressDisplay(new Output({}, {}), () => now);
    const report = display.of('web');
    for (; now <= 25_000; now += 1000) report({ phase: 'copying', done: now, total: 25_000 });
    display.end('web');
  });
  assert.deepEqual(text.split('\n'), [
    'web: copying, 40 %, 9.8 KiB of 24.4 KiB, 1000 B/s, 0:15 left',
    'web: copying, 80 %, 19.5 KiB of 24.4 KiB, 1000 B/s, 0:05 left',
    '',
  ]);
});

test('what does not go on for a minute is reported as that, also past its end, until it goes on', () => {
  let now = 0;
  const text = written(false, () => {
    const display = new ProgressDisplay(new Output({}, {}), () => now);
    const report = display.of('web');
    const reportUntil = (end: number, done: () => number): void => {
      for (; now <= end; now += 5_000) report({ phase: 'copying', done: done(), total: 4096 });
    };
    reportUntil(75_000, () => 1024);
    reportUntil(80_000, () => 2048);
    reportUntil(150_000, () => 4096 + now);
    display.end('web');
  });
  const lines = text.split('\n').filter((line) => line.includes('no progress'));
  assert.deepEqual(lines, [
    'web: copying, 25 %, 1 KiB of 4 KiB, no progress for 1:00',
    'web: copying, 25 %, 1 KiB of 4 KiB, no progress for 1:10',
    'web: copying, 100 %, 4 KiB of 4 KiB, no progress for 1:05',
  ]);
});

test('on a terminal a bar is redrawn, shared by machines, interrupted by messages and gone at the end', () => {
  let now = 0;
  const output = new Output({ color: false }, {});
  const text = written(true, () => {
    const display = new ProgressDisplay(output, () => now);
    display.of('web')({ phase: 'copying', done: 1024, total: 4096 });
    now += 300;
    display.of('db')({ phase: 'copying', done: 1024, total: 4096 });
    output.note('info', 'db: reached over its control port');
    display.end('web');
    display.end('db');
  });
  assert.deepEqual(text.split('\r\u001b[K'), [
    '',
    'web: copying [#####...............] 25 %, 1 KiB of 4 KiB',
    '2 machines: copying [#####...............] 25 %, 2 KiB of 8 KiB',
    'db: reached over its control port\n',
    '2 machines: copying [#####...............] 25 %, 2 KiB of 8 KiB',
    '',
  ]);
});

test('the bar makes room for the time that is left, and goes where it would be too short', () => {
  const MOVE = { phase: 'moving memory', done: 256 * 1024, total: 256 * MIB };
  const last = (name: string): string => {
    let now = 0;
    const text = written(true, () => {
      const report = new ProgressDisplay(new Output({ color: false }, {}), () => now).of(name);
      for (; now <= 2_000; now += 1_000) report({ ...MOVE, done: MOVE.done + 127 * now });
    });
    return text.split('\r\u001b[K').at(-1) ?? '';
  };
  const columns = Object.getOwnPropertyDescriptor(process.stderr, 'columns');
  Object.defineProperty(process.stderr, 'columns', { value: 80, configurable: true });
  try {
    const short = last('web');
    assert.match(short, /^web: moving memory \[\.{5,19}\] 0 %, .* left$/);
    assert.equal(short.length, 79);
    assert.match(last('a-longer-name'), /^a-longer-name: moving memory, 0 %, .* left$/);
  } finally {
    if (columns === undefined) Reflect.deleteProperty(process.stderr, 'columns');
    else Object.defineProperty(process.stderr, 'columns', columns);
  }
});

test('--quiet shows no progress', async () => {
  const output = new Output({ quiet: true }, {});
  const text = written(true, () => {
    new ProgressDisplay(output).of('web')({ phase: 'copying', done: 1, total: 2 });
  });
  assert.equal(text, '');
  assert.equal(await showProgress(output, 'web', async () => 5), 5);
});
