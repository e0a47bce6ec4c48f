import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseJson } from '../support/cli.ts';
import { type Lab, lab, until } from '../support/lab.ts';

/** A hook that says that it runs and then waits for a file, so that a command can be held in its middle. */
function hold(root: Lab, key: string): string {
  root.write(
    'etc/qemu/hold.sh',
    'touch "$QEMU_INIT_HOOK.there"\nwhile [ ! -e "$QEMU_INIT_HOOK.go" ]; do sleep 0.02; done\n',
  );
  return `${key}=/bin/sh hold.sh\n`;
}

test('ten starts of one machine at once make one QEMU and ten times exit 0', async (t) => {
  const root = lab(t);
  root.add('web');
  const results = await Promise.all(Array.from({ length: 10 }, () => root.init('start', 'web', '--json')));
  const documents = results.map((result) => {
    assert.equal(result.code, 0, result.stderr);
    return parseJson(result) as [{ outcome: string; pid: number; slot: number; monitorPort: number }];
  });
  assert.deepEqual(documents.map(([{ outcome }]) => outcome).sort(), [
    ...Array.from({ length: 9 }, () => 'already-running'),
    'started',
  ]);
  assert.equal(root.qemus().length, 1);
  for (const [{ pid, slot, monitorPort }] of documents) {
    assert.equal(pid, root.qemus()[0]);
    assert.deepEqual([slot, monitorPort], [documents[0]?.[0].slot, documents[0]?.[0].monitorPort]);
  }
  const stops = await Promise.all(Array.from({ length: 5 }, () => root.init('stop', 'web', '--force', '--json')));
  assert.deepEqual(
    stops.map(({ code }) => code),
    [0, 0, 0, 0, 0],
  );
  assert.deepEqual(root.leftovers(), []);
});

test('machines that start at the same moment get slots of their own', async (t) => {
  const root = lab(t);
  root.ownPorts();
  const names = Array.from({ length: 8 }, (_, at) => `m${at}`);
  for (const name of names) root.add(name, 'VNC=on\n');
  const started = await Promise.all(names.map((name) => root.one('start', name)));
  for (const key of ['slot', 'monitorPort', 'controlPort', 'pid']) {
    assert.equal(new Set(started.map((each) => each[key])).size, names.length, key);
  }
  await root.ok('stop', '--all', '--force');
  // Each gets its own again, whatever the order.
  const again = await root.json('start', ...names.toReversed());
  for (const { name, slot } of again) assert.equal(slot, started[names.indexOf(String(name))]?.['slot']);
  await root.ok('kill', '--all');
  assert.deepEqual(root.leftovers(), []);
});

test('a stop during a start waits for it, says so, and then stops', async (t) => {
  const root = lab(t);
  root.add('web', `STOPDELAY=1\n${hold(root, 'PRECMD')}`);
  const start = root.spawn('qemu-init', ['start', 'web']);
  await until('PRECMD runs', () => existsSync(join(root.etcDir, 'PRECMD.there')));
  const stop = root.spawn('qemu-init', ['stop', 'web']);
  await until('stop tells what it waits for', () => stop.stderr().includes('waiting for "start"'));
  // Meanwhile everybody can look.
  assert.equal(await root.state('web'), 'stopped');
  root.write('etc/qemu/PRECMD.go', '');
  assert.equal((await start.result).code, 0);
  const stopped = await stop.result;
  assert.equal(stopped.code, 0);
  assert.match(stopped.stdout, /stopped by (powerdown|quit)/);
  assert.deepEqual(root.leftovers(), []);
});

test('a start during a stop waits for it, and then starts', async (t) => {
  const root = lab(t);
  root.add('web', hold(root, 'PRESTOP'));
  const before = await root.one('start', 'web');
  await root.ok('wait', 'web', '--for', 'console=ready');
  const stop = root.spawn('qemu-init', ['stop', 'web']);
  await until('PRESTOP runs', () => existsSync(join(root.etcDir, 'PRESTOP.there')));
  const start = root.spawn('qemu-init', ['start', 'web']);
  await until('start tells what it waits for', () => start.stderr().includes('waiting for "stop"'));
  root.write('etc/qemu/PRESTOP.go', '');
  assert.equal((await stop.result).code, 0);
  assert.equal((await start.result).code, 0);
  assert.equal(root.qemus().length, 1);
  assert.notEqual(root.qemus()[0], before['pid']);
  await root.ok('kill', 'web');
  assert.deepEqual(root.leftovers(), []);
});

test('kill and stop --force do not wait for a command that is busy with the machine', async (t) => {
  const root = lab(t);
  root.add('web', hold(root, 'PRESTOP'));
  await root.ok('start', 'web');
  const stop = root.spawn('qemu-init', ['stop', 'web']);
  await until('PRESTOP runs', () => existsSync(join(root.etcDir, 'PRESTOP.there')));
  const killed = await root.one('kill', 'web');
  assert.equal(killed['rung'], 'sigkill');
  assert.deepEqual(root.qemus(), []);
  root.write('etc/qemu/PRESTOP.go', '');
  const { code, stdout } = await stop.result;
  assert.equal(code, 0);
  // It was not the power button.
  assert.match(stdout, /web: not running/);
  assert.deepEqual(root.leftovers(), []);
});

test('what runs in a hook is what is written, without a shell, with the machine in its environment', async (t) => {
  const root = lab(t);
  root.write(
    'etc/qemu/note.sh',
    'has=$(test -n "$QEMU_INIT_PID" && echo pid)\necho "$QEMU_INIT_HOOK $QEMU_INIT_MACHINE $has $1 $PWD" >>notes\n',
  );
  root.add(
    'web',
    ['PRECMD', 'POSTCMD', 'PRESTOP', 'POSTSTOP'].map((key) => `${key}=/bin/sh note.sh "a  $(touch x);b"\n`).join(''),
  );
  await root.ok('start', 'web');
  await root.ok('stop', 'web', '--force');
  assert.deepEqual(readFileSync(join(root.etcDir, 'notes'), 'utf8').split('\n'), [
    `PRECMD web  a  $(touch x);b ${root.etcDir}`,
    `POSTCMD web pid a  $(touch x);b ${root.etcDir}`,
    `PRESTOP web pid a  $(touch x);b ${root.etcDir}`,
    `POSTSTOP web  a  $(touch x);b ${root.etcDir}`,
    '',
  ]);
  assert.ok(!existsSync(join(root.etcDir, 'x')));
});

test('a PRECMD that fails stops the start, and leaves nothing', async (t) => {
  const root = lab(t);
  root.add('web', 'PRECMD=/bin/sh -c "echo no light >&2; exit 3"\n');
  const failed = await root.init('start', 'web');
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /PRECMD "\/bin\/sh" ended with exit status 3: no light/);
  assert.deepEqual(root.leftovers(), []);
});

test('what PRECMD has begun is cleaned up by POSTSTOP after a start that failed', async (t) => {
  const root = lab(t);
  const begin = 'PRECMD=/bin/sh -c "sleep 600 >/dev/null 2>&1 & echo $! >helper"\n';
  const end = 'POSTSTOP=/bin/sh -c "kill $(cat helper); echo $QEMU_INIT_REASON >>reasons"\n';
  root.add('web', `${begin}${end}[custom]\n-global nothing\n`);
  root.add('db', `PRECMD=/bin/sh -c "exit 3"\n${end}`);
  const failed = await root.init('start', 'web');
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /^web: qemu-system-x86_64 ended with exit status 1: /m);
  const helper = Number(readFileSync(join(root.etcDir, 'helper'), 'utf8'));
  assert.ok(!existsSync(`/proc/${helper}`) || readFileSync(`/proc/${helper}/stat`, 'utf8').includes(') Z '));
  // POSTSTOP finds nothing to kill, and the reason why the start failed is told first of all.
  const second = await root.init('start', 'db');
  assert.match(second.stderr, /PRECMD "\/bin\/sh" ended with exit status 3/);
  assert.equal(readFileSync(join(root.etcDir, 'reasons'), 'utf8'), 'start-failed\nstart-failed\n');
  assert.deepEqual(root.leftovers(), []);
});

test('a hook with the line ends of Windows is named for that by check, start and stop', async (t) => {
  const root = lab(t);
  const hook = (name: string, first: string): string => {
    const path = root.write(`etc/qemu/${name}`, `${first}\r\nexit 0\r\n`);
    chmodSync(path, 0o755);
    return path;
  };
  root.add('web', `PRECMD=${hook('pre', '#!/usr/bin/env sh')}\n`);
  root.add('db', `POSTCMD=${hook('post', '#!/bin/sh')}\nPRESTOP=${hook('down', '#!/usr/bin/env sh')}\n`);
  const checked = await root.init('check', 'web', 'db');
  assert.equal(checked.code, 6);
  assert.match(checked.stderr, /web-qemu\.cfg:\d+: PRECMD "\S+" has the line ends of Windows \(CR LF\)/);
  assert.match(checked.stderr, /db-qemu\.cfg:\d+: Warning: POSTCMD "\S+" has the line ends of Windows \(CR LF\)/);
  assert.match((await root.init('start', 'web')).stderr, /PRECMD "\S+" has the line ends of Windows/);
  const started = await root.init('start', 'db');
  assert.equal(started.code, 0);
  assert.match(started.stderr, /POSTCMD failed: Cannot run "\S+": it has the line ends of Windows/);
  assert.match(
    (await root.init('stop', 'db')).stderr,
    /PRESTOP "\S+" ended with exit status 127: .*; it has the line ends/s,
  );
});
