import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { lab } from '../support/lab.ts';

const COUNT = 200;
const COUNTER = join(import.meta.dirname, '../../../test/support/count-opens.cjs');

const COMMANDS: readonly (readonly string[])[] = [
  ['list'],
  ['status', '--all'],
  ['check', '--all'],
  ['stop', '--all'],
  ['start', 'm7'],
  ['attach', 'm7', 'DSK2=more-2.raw,format=raw', 'DSK3=more-3.raw,format=raw', 'DSK4=more-4.raw,format=raw'],
  ['stop', 'm7'],
  ['doctor'],
];

/** A check looks at an image for its format, for what it rests on, and for who else uses it. */
const MOST_LOOKS = 20;

test('every machine file is opened once in a command, and an image a few times, whatever the number of machines', async (t) => {
  const root = lab(t);
  root.ownPorts();
  for (let at = 0; at < COUNT; at++) root.add(`m${at}`);
  for (const at of [2, 3, 4]) writeFileSync(join(root.dir, `etc/qemu/more-${at}.raw`), Buffer.alloc(1024 ** 2));
  // A file that was changed a moment ago is read anew.
  await new Promise((resolve) => setTimeout(resolve, 50));
  for (const command of COMMANDS) {
    const opened = await opensOf(command);
    const counts = countsOf(opened.filter((each) => each.endsWith('-qemu.cfg')));
    const looks = [...countsOf(opened.filter((each) => each.endsWith('.img'))).values()];
    assert.ok(Math.max(0, ...looks) <= MOST_LOOKS, `${command.join(' ')}: ${Math.max(...looks)}`);
    const often = [...counts].filter(([, count]) => count > 1);
    assert.deepEqual(often, [], command.join(' '));
    assert.ok(counts.size > 0, command.join(' '));
  }

  async function opensOf(command: readonly string[]): Promise<string[]> {
    const list = join(root.dir, 'opened');
    const env = { NODE_OPTIONS: `--require ${COUNTER}`, OPENED: list };
    await root.run('qemu-init', command, { env, timeoutMs: 120_000 });
    return readFileSync(list, 'utf8').split('\n');
  }
});

function countsOf(paths: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const path of paths) counts.set(path, (counts.get(path) ?? 0) + 1);
  return counts;
}

test('a stop finds its QEMU once, and looks through no other process', async (t) => {
  const root = lab(t);
  root.ownPorts();
  root.add('web');
  await root.ok('start', 'web');
  const [status] = await root.json('status', 'web');
  const list = join(root.dir, 'opened');
  const env = { NODE_OPTIONS: `--require ${COUNTER}`, OPENED: list };
  assert.equal((await root.run('qemu-init', ['stop', '--force', 'web'], { env })).code, 0);
  const opened = readFileSync(list, 'utf8').split('\n');
  const looks = opened.flatMap((path) => /^\/proc\/(\d+)\/(?:task\/\d+\/)?cmdline$/.exec(path)?.[1] ?? []);
  const pid = String(status?.['pid']);
  assert.deepEqual(
    looks.filter((each) => each === pid),
    [pid],
  );
  // Its own is what it writes into the lock.
  assert.ok(new Set(looks).size <= 2, looks.join(' '));
});
