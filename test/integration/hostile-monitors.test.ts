import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { type JsonObject, type Lab, lab } from '../support/lab.ts';
import type { Cleanup } from '../support/temp-root.ts';

const NOBODY = 65_534;

/** A client that holds a monitor and says nothing, or what there is to say. */
async function hold(t: Cleanup, where: { path: string } | { host: string; port: number }): Promise<Socket> {
  const socket = connect(where);
  socket.on('error', () => {});
  t.after(() => void socket.destroy());
  await once(socket, 'connect');
  return socket;
}

/** Takes all ports of a machine without its key, as any local user can, and leaves the rest as it is. */
async function holdAsNobody(t: Cleanup, ports: readonly number[]): Promise<void> {
  const script = `
    const { connect } = require('node:net');
    const all = ${JSON.stringify(ports)}.flatMap((port) => ['127.0.0.1', '::1'].map((host) => connect({ host, port })));
    let left = all.length;
    for (const each of all) each.on('error', () => {}).on('connect', () => { if (--left === 0) console.log('held'); });`;
  const isRoot = process.getuid?.() === 0;
  const child = spawn(process.execPath, ['-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: '/',
    ...(isRoot && { uid: NOBODY, gid: NOBODY }),
  });
  t.after(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
}

function portsOf(started: JsonObject): [monitor: number, control: number] {
  return [Number(started['monitorPort']), Number(started['controlPort'])];
}

test('a program that holds the own socket is in the way of nothing: the control port serves, then the monitor port', async (t) => {
  const root = lab(t);
  root.ownPorts();
  root.add('web');
  const [, controlPort] = portsOf(await root.one('start', 'web'));
  await root.ok('wait', 'web', '--for', 'console=ready');
  await hold(t, { path: root.file('web', 'qemu', 'qmp.sock') });
  assert.equal(await root.state('web'), 'running');
  const paused = await root.init('pause', 'web');
  assert.equal(paused.code, 0);
  assert.match(paused.stderr, /web: reached over its control port \d+ of \S+ \(own socket: /);

  await holdAsNobody(t, [controlPort]);
  assert.equal(await root.state('web'), 'paused');
  // The button lets a paused guest run first: over HMP as well.
  const stopped = await root.init('stop', 'web', '--json');
  assert.equal(JSON.parse(stopped.stdout)[0].rung, 'powerdown', stopped.stderr);
  assert.match(stopped.stderr, /web: reached over its monitor port \d+ of \S+ \(own socket: [^;]*; control/);
  assert.deepEqual(root.leftovers(), []);
});

test('with the own socket and the control port held, the monitor port serves people and changes of the state', async (t) => {
  const root = lab(t);
  root.ownPorts();
  root.add('web');
  const [, controlPort] = portsOf(await root.one('start', 'web'));
  await hold(t, { path: root.file('web', 'qemu', 'qmp.sock') });
  await holdAsNobody(t, [controlPort]);
  const asked = await root.cmd('-c', 'info status', 'web');
  assert.equal(asked.code, 0, asked.stderr);
  assert.equal(asked.stdout, 'VM status: running\n');
  assert.match(asked.stderr, /web: reached over its monitor port \d+ of \S+ \(control port/);
  const refused = await root.cmd('-c', 'frobnicate', 'web');
  assert.equal(refused.code, 1);
  assert.equal(refused.stdout, "unknown command: 'frobnicate'\n");
  const long = await root.cmd('-c', 'info mtree', 'web');
  assert.match(long.stdout, /address-space: /);
  assert.deepEqual(await root.one('pause', 'web'), { name: 'web', outcome: 'paused', state: 'paused' });
  assert.deepEqual(await root.one('resume', 'web'), { name: 'web', outcome: 'resumed', state: 'running' });
  assert.deepEqual(await root.one('reset', 'web'), { name: 'web', outcome: 'reset', state: 'running' });
  assert.deepEqual(await root.one('wake', 'web'), { name: 'web', outcome: 'awake', state: 'running' });
  const qmp = await root.cmd('-q', 'query-status', '--timeout', '1', 'web');
  assert.equal(qmp.code, 1);
  assert.match(qmp.stderr, /Cannot reach machine "web": control port/);
  const quit = await root.cmd('-c', 'quit', 'web');
  assert.equal(quit.code, 0, quit.stderr);
  await root.ok('wait', 'web', '--for', 'stopped');
});

test('when no monitor can be had a stop says that the button was not pressed, and why', async (t) => {
  const root = lab(t);
  root.ownPorts();
  root.add('web', 'STOPDELAY=2\n');
  const ports = portsOf(await root.one('start', 'web'));
  await hold(t, { path: root.file('web', 'qemu', 'qmp.sock') });
  await holdAsNobody(t, ports);
  const stopped = await root.init('stop', 'web', '--no-kill');
  assert.equal(stopped.code, 1);
  assert.match(
    stopped.stderr,
    /^web: warning: the power button could not be pressed: Cannot reach .*own socket: [^;]*; control/m,
  );
  assert.doesNotMatch(stopped.stderr, /still running after the power button/);
  await root.ok('kill', 'web');
});

/** Puts a server of ours in the place of the machine's own socket, which answers every command in the same way. */
async function answerInstead(t: Cleanup, root: Lab, name: string, answer: string): Promise<void> {
  const path = root.file(name, 'qemu', 'qmp.sock');
  rmSync(path, { force: true });
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.write('{"QMP":{"version":{"qemu":{"major":7,"minor":2,"micro":0},"package":""},"capabilities":[]}}\n');
    socket.on('data', (data) => {
      for (const [, command, id] of data.toString().matchAll(/"execute":"([^"]+)".*?"id":(\d+)/g)) {
        socket.write(`{"return":${command === 'qmp_capabilities' ? '{}' : answer},"id":${id}}\n`);
      }
    });
  });
  t.after(() => void server.close());
  server.listen(path);
  await once(server, 'listening');
}

test('whatever a captured QEMU answers, status shows the other machines, quickly, and its text harms no terminal', async (t) => {
  const root = lab(t);
  root.add('bad');
  root.add('good');
  await root.ok('start', 'bad', 'good');
  const nested = '['.repeat(4_000_000) + ']'.repeat(4_000_000);
  const long = JSON.stringify('x'.repeat(100_000));
  const answers = [
    '7',
    'null',
    '[]',
    '{}',
    '{"status":{}}',
    '{"status":7}',
    '{"status":"\\u001b[2Jrunning"}',
    long,
    nested,
  ];
  for (const answer of answers) {
    await answerInstead(t, root, 'bad', answer);
    const began = performance.now();
    const states = (await root.json('status', '--all')).map(({ name, state }) => [name, state]);
    assert.ok(performance.now() - began < 8_000);
    assert.deepEqual(
      states,
      [
        ['bad', 'unresponsive'],
        ['good', 'running'],
      ],
      answer.slice(0, 40),
    );
  }
  // What a person sees of a hostile text: an error of QEMU, an answer, a log, an event.
  await answerInstead(t, root, 'bad', '"\\u001b]0;owned\\u0007 \\u009b31m \\u202e text\\r\\n"');
  root.write('etc/qemu/monitor.conf', '');
  const ports = portsOf((await root.json('status', 'bad'))[0] ?? {});
  await holdAsNobody(t, ports);
  const seen = await root.run('qemu-cmd', ['-c', 'info status', 'bad', '--no-color'], { tty: true });
  assert.match(seen.stdout, /\\u001b\]0;owned\\u0007 \\u009b31m \\u202e text\n?/);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  assert.doesNotMatch(seen.stdout, /[\x1b\x07\x9b\u202e]/);
  const piped = await root.cmd('-c', 'info status', 'bad');
  assert.equal(piped.stdout, '\x1b]0;owned\x07 \x9b31m \u202e text\n', 'a pipe gets it as it is');

  root.write('var/log/qemu-init/bad.console', 'login\x1b[2J:\r\n');
  const shown = await root.run('qemu-init', ['log', '--console', 'bad'], { tty: true });
  assert.match(shown.stdout, /^login\\u001b\[2J:\r?\n$/);
  assert.equal((await root.init('log', '--console', 'bad')).stdout, readFileSync(`${root.logDir}/bad.console`, 'utf8'));
  await root.ok('kill', '--all');
});

test('whatever a captured QEMU answers, every action ends in time with an error for people, and nothing reaches the terminal', async (t) => {
  const root = lab(t);
  root.ownPorts();
  root.add('bad', 'VNC=on\n');
  const ports = portsOf(await root.one('start', 'bad'));
  await holdAsNobody(t, ports);
  const actions = [
    ['pause', 'bad'],
    ['resume', 'bad'],
    ['reset', 'bad'],
    ['wake', 'bad'],
    ['reload', 'bad'],
    ['wait', 'bad', '--for', 'running', '--timeout', '2'],
    ['list'],
    ['status', 'bad'],
    ['vnc', 'bad'],
    ['security', 'bad'],
    ['check', 'bad'],
    ['doctor'],
    ['explain', 'bad'],
  ];
  const hostile = '\\u001b]0;owned\\u0007\\u009b31m\\u202e\\r\\n';
  for (const answer of ['7', 'null', '{"status":{}}', `{"status":"running","device":"${hostile}"}`, `"${hostile}"`]) {
    await answerInstead(t, root, 'bad', answer);
    for (const words of actions) {
      const { code, stdout } = await root.run('qemu-init', [...words, '--no-color'], { tty: true, timeoutMs: 30_000 });
      const label = `${words[0]} after ${answer}`;
      assert.ok(code !== undefined && code <= 7, label);
      assert.doesNotMatch(stdout, /Internal error|\n\s+at /, label);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
      assert.doesNotMatch(stdout, /[\x1b\x07\x9b\u202e]/, label);
    }
  }
  await root.ok('kill', 'bad');
});
