import assert from 'node:assert/strict';
import { once } from 'node:events';
import { appendFileSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { DEFAULT_BANNER, SPAM_LINE_BYTES } from '../support/guest-disk.ts';
import { lab, until } from '../support/lab.ts';

const CTRL_BRACKET = '\x1d';

test('console joins a terminal to the guest until Ctrl-], and the machine runs on', async (t) => {
  const root = lab(t);
  root.add('web', '', { echo: true });
  await root.ok('start', 'web');
  const session = root.spawn('qemu-init', ['console', 'web'], { tty: true });
  await session.waitForOutput('Leave with Ctrl-]');
  session.write('hello\r');
  await session.waitForOutput('HELLO');
  // Ctrl-C is the guest's.
  session.write('\x03again\r');
  await session.waitForOutput('AGAIN');
  session.write(CTRL_BRACKET);
  const { code, stdout } = await session.result;
  assert.equal(code, 0);
  assert.match(stdout, /Left the console/);
  assert.equal(await root.state('web'), 'running');

  // What a pipe brings is sent, and the session ends when the machine does.
  const pipe = root.spawn('qemu-init', ['console', 'web']);
  pipe.write('piped');
  await pipe.waitForOutput('PIPED');
  await root.ok('stop', 'web');
  assert.equal((await pipe.result).code, 0);
  const closed = await root.init('console', 'web');
  assert.equal(closed.code, 7, closed.stderr);
});

test('a second console is refused at once, and says why', async (t) => {
  const root = lab(t);
  root.add('web', '', { echo: true });
  await root.ok('start', 'web');
  const first = root.spawn('qemu-init', ['console', 'web']);
  first.write('x');
  await first.waitForOutput('X');
  const second = await root.run('qemu-init', ['console', 'web'], { timeoutMs: 15_000 });
  assert.equal(second.code, 1, second.stderr);
  assert.match(second.stderr, /Another client \(process \d+ of \S+\) is using the console of machine "web"/);
  assert.match(second.stderr, /--read-only/);

  // On a terminal the second one watches instead, and so do others; none of them can type.
  const watchers = [
    root.spawn('qemu-init', ['console', 'web'], { tty: true }),
    root.spawn('qemu-init', ['console', 'web', '--read-only'], { tty: true }),
    root.spawn('qemu-init', ['console', 'web', '--read-only', '--lines', '5']),
  ];
  await watchers[0]?.waitForOutput(/is using the console of machine "web": only watching/);
  await watchers[1]?.waitForOutput('Watching the console of web');
  // What was printed before, and what comes now.
  for (const watcher of watchers) await watcher.waitForOutput(DEFAULT_BANNER);
  watchers[1]?.write('silent');
  first.write('shown');
  for (const watcher of watchers) await watcher.waitForOutput('SHOWN');
  assert.ok(!root.console('web').includes('SILENT'));
  watchers[0]?.write(CTRL_BRACKET);
  const left = await watchers[0]?.result;
  assert.equal(left?.code, 0);
  // A guest may have hidden the cursor, or switched on the mouse: all that is off again.
  const [, reset] = String(left?.stdout).split('\u001b[?1000l');
  assert.match(String(reset), /\[\?25h.*Stopped watching/s);
  await root.ok('stop', 'web');
  for (const session of [first, ...watchers.slice(1)]) assert.equal((await session.result).code, 0);
});

test('a console that another program holds is told from one that is free', async (t) => {
  const root = lab(t);
  root.add('web');
  await root.ok('start', 'web');
  const other = connect(root.file('web', 'qemu/console.sock'));
  await once(other, 'connect');
  await until('QEMU has it', async () => (await root.init('console', 'web')).code === 1);
  assert.match((await root.init('console', 'web')).stderr, /A program other than qemu-init is using the console/);
  other.destroy();
  const session = root.spawn('qemu-init', ['console', 'web']);
  await root.ok('kill', 'web');
  await session.result;
});

test('SERIAL=off has no console and no log of it', async (t) => {
  const root = lab(t);
  root.add('web', 'SERIAL=off\n');
  await root.ok('start', 'web');
  const refused = await root.init('console', 'web');
  assert.equal(refused.code, 6);
  assert.match(refused.stderr, /SERIAL=off/);
  assert.equal((await root.init('log', 'web', '--console')).stdout, '');
  await root.ok('kill', 'web');
});

test("log prints QEMU's output, with --console the guest's, whole, by lines, or as it comes", async (t) => {
  const root = lab(t);
  root.add('web', '', { spamBytes: 20 * SPAM_LINE_BYTES });
  await root.ok('start', 'web');
  await root.ok('wait', 'web', '--for', 'console=^00000013');
  const whole = await root.ok('log', 'web', '--console');
  assert.equal(whole, root.console('web'));
  assert.ok(whole.startsWith(`${DEFAULT_BANNER}\r\n00000000`));
  const last = await root.ok('log', 'web', '--console', '-n', '2');
  assert.deepEqual(
    last.split('\r\n').map((line) => line.slice(0, 8)),
    ['00000012', '00000013', ''],
  );
  assert.equal(await root.ok('log', 'web', '--console', '--lines', '0'), '');
  assert.equal((await root.init('log', 'web', '-n', 'x')).code, 2);

  const follow = root.spawn('qemu-init', ['log', 'web', '--console', '--follow', '-n', '1']);
  await follow.waitForOutput('00000013');
  const before = await root.one('status', 'web');
  await root.ok('reset', 'web');
  await follow.waitForOutput(DEFAULT_BANNER);
  const after = await root.one('status', 'web');
  assert.equal(before['lastReset'], null);
  assert.ok(String(after['lastReset']) > String(after['startedAt']));
  follow.child.kill('SIGINT');
  assert.equal((await follow.result).code, 0);
  await root.ok('stop', 'web');
  // QEMU tells who ended it.
  assert.match(readFileSync(join(root.logDir, 'web.log'), 'utf8'), /^/);
  assert.equal(await root.ok('log', 'web'), readFileSync(join(root.logDir, 'web.log'), 'utf8'));
});

test('the console log goes on through restarts, and wait looks only at what the present run printed', async (t) => {
  const root = lab(t);
  root.add('web');
  await root.ok('start', 'web');
  await root.ok('wait', 'web', '--for', 'console=ready');
  await root.ok('stop', 'web');
  await root.ok('start', 'web', '--paused');
  const early = await root.init('wait', 'web', '--for', 'console=ready', '--timeout', '0.2');
  assert.equal(early.code, 1, 'the banner of the run before does not count');
  await root.ok('resume', 'web');
  await root.ok('wait', 'web', '--for', 'console=ready');
  assert.equal(root.console('web'), `${DEFAULT_BANNER}\r\n`.repeat(2));
  await root.ok('stop', 'web');
});

test('a guest that prints without end does not fill the disk', async (t) => {
  const root = lab(t);
  root.add('web', '', { spamBytes: Number.POSITIVE_INFINITY });
  const size = (): number => readFileSync(join(root.logDir, 'web.console')).length;
  root.write('var/log/qemu-init/web.console', new Uint8Array(5 * 1024 ** 2));
  await root.ok('start', 'web');
  await root.ok('wait', 'web', '--for', 'console=^00000100');
  assert.ok(size() < 4 * 1024 ** 2, 'what earlier runs left was moved away');
  for (const look of ['status', 'list', 'log']) {
    appendFileSync(join(root.logDir, 'web.console'), 'x'.repeat(5 * 1024 ** 2));
    await root.ok(look, ...(look === 'list' ? [] : ['web']));
    assert.ok(size() < 4 * 1024 ** 2, `${look} shortens what the present run has printed`);
  }
  assert.ok(readFileSync(join(root.logDir, 'web.console.1')).length >= 4 * 1024 ** 2);
  appendFileSync(join(root.logDir, 'web.console'), 'x'.repeat(5 * 1024 ** 2));
  await root.ok('log', '--trim');
  assert.ok(size() < 4 * 1024 ** 2, 'so does log --trim');
  await until('the guest prints on', () => root.console('web').includes('\r\n'));
  assert.ok(!root.console('web').includes('\0'), 'QEMU goes on at the new end');
  await root.ok('stop', 'web', '--force');
});
