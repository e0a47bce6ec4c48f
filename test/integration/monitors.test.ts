import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { parseJson } from '../support/cli.ts';
import { assertError } from '../support/documents.ts';
import { type Lab, lab, until } from '../support/lab.ts';
import type { Cleanup } from '../support/temp-root.ts';

const CTRL_BRACKET = '\x1d';

test('twenty qemu-cmd at once on one machine all get their own answer', async (t) => {
  const root = lab(t);
  root.add('web', 'NAME=guest-of-web\n');
  await root.ok('start', 'web');
  const answers = await Promise.all(
    Array.from({ length: 20 }, async (_, at) => {
      // An own number comes back in each answer.
      const number = 0xab000 + at;
      return at % 2 === 0
        ? { expected: `0x${number.toString(16)}\n`, got: await root.cmd('-c', `print/x ${number}`, 'web') }
        : { expected: `"${at}"\n`, got: await echoByQmp(root, at) };
    }),
  );
  for (const { expected, got } of answers) {
    assert.equal(got.code, 0, got.stderr);
    assert.equal(got.stdout, expected);
    assert.equal(got.stderr, '');
  }
  await root.ok('stop', 'web', '--force');
  assert.deepEqual(root.leftovers(), []);
});

test('what the human monitor refuses is exit 1 with an error, and no topic of info is refused', async (t) => {
  const root = lab(t);
  root.add('web', 'NIC1=virtio-net-pci,net=user\nBALLOON=on\n');
  await root.ok('start', 'web');
  for (const command of ['foo', 'hostfwd_add foo', 'info block NOPE', 'log foo']) {
    const result = await root.cmd('--json', '-c', command, 'web');
    assert.equal(result.code, 1, command);
    const [answer] = JSON.parse(result.stdout);
    assert.deepEqual([answer.command, answer.ok], [command, false]);
    assertError(answer.error);
    assert.equal(answer.error.code, 'QEMU_QMP_REFUSED');
    assert.match(answer.error.hint, /^see: qemu-cmd -c /);
    assert.equal((await root.cmd('-c', command, 'web')).code, 1);
  }
  const topics = [...(await root.cmd('-c', 'help info', 'web')).stdout.matchAll(/^info (\S+)/gm)].map(([line]) => line);
  assert.ok(topics.length > 50);
  const commands = [...topics, 'help', 'help log', 'x/4 0', 'print 1+1', 'hostfwd_add tcp:127.0.0.1:0-:22'];
  const result = await root.run('qemu-cmd', ['--json', '-c', '-', 'web'], { input: `${commands.join('\n')}\n` });
  const answers: { command: string; output: string; ok: boolean }[] = JSON.parse(
    `[${result.stdout.replaceAll(/^\]\n\[$/gm, '],[')}]`,
  ).flat();
  assert.equal(answers.length, commands.length);
  for (const { command, output, ok } of answers) {
    // Of what this machine lacks, and topics that need a word more.
    const isRefused = /^Error: |^Try "help /m.test(output);
    assert.equal(ok, !isRefused, `${command}: ${output}`);
  }
  await root.ok('kill', 'web');
});

/** Makes an object with a name of its own and reads its id back. */
async function echoByQmp(root: Lab, at: number): ReturnType<Lab['cmd']> {
  const made = await root.cmd(
    '-q',
    'object-add',
    'qom-type=memory-backend-ram',
    `id=m${at}`,
    `size=${at * 65536}`,
    'web',
  );
  assert.equal(made.code, 0, made.stderr);
  const { code, stdout, stderr } = await root.cmd('-q', 'qom-get', `path=/objects/m${at}`, 'property=size', 'web');
  return { code, signal: undefined, stdout: `"${Number(stdout) / 65536}"\n`, stderr };
}

test('a refused command is exit 1 with QEMU’s own words; text and JSON go to stdout', async (t) => {
  const root = lab(t);
  root.add('web');
  await root.ok('start', 'web');
  const status = await root.cmd('-q', '{"execute":"query-status"}', 'web');
  assert.equal((parseJson(status) as { status: string }).status, 'running');
  const unknown = await root.cmd('-c', 'frobnicate', 'web');
  assert.equal(unknown.code, 1);
  assert.match(unknown.stdout, /unknown command: 'frobnicate'/);
  const refused = await root.cmd('-q', 'device_del', 'id=nothing', 'web');
  assert.equal(refused.code, 1);
  assert.equal(refused.stdout, '');
  assert.match(refused.stderr, /Device 'nothing' not found/);
  const usage = [
    ['-c', 'info status'],
    ['web'],
    ['-c', 'info status', '-q', 'query-status', 'web'],
    ['-c', 'info', 'status', 'web'],
    ['-q', '{"execute":', 'web'],
    ['-c', 'info status', 'web', '--timeout', 'soon'],
  ];
  for (const args of usage) assert.equal((await root.cmd(...args)).code, 2, args.join(' '));
  assert.equal((await root.cmd('-c', 'info status', 'nobody')).code, 6);
  // A line that cannot be read is named, and keeps no other from being sent.
  const input = '# names\n\n{"execute":\nquery-name\nquery-name "open\nqom-get path=[1 property=x\nquery-uuid\n';
  const batch = await root.run('qemu-cmd', ['-q', '-', 'web'], { input });
  assert.equal(batch.code, 2);
  assert.match(batch.stdout, /"name": "web"[\s\S]*"UUID":/);
  assert.deepEqual(batch.stderr.match(/Cannot read line \d+ of standard input/g), [
    'Cannot read line 3 of standard input',
    'Cannot read line 5 of standard input',
    'Cannot read line 6 of standard input',
  ]);
  // The answer to quit is that QEMU is gone.
  assert.equal((await root.cmd('-c', 'quit', 'web')).code, 0);
  await root.ok('wait', 'web', '--for', 'stopped');
  assert.equal((await root.cmd('-c', 'info status', 'web')).code, 7);
});

test('clients that hold all ports and say nothing are in the way of neither qemu-cmd, qemu-mon, status, list nor stop', async (t) => {
  const root = lab(t);
  root.write('etc/qemu/monitor.conf', 'TLS=off\n');
  root.add('web');
  const started = await root.one('start', 'web');
  const held = [
    hold(t, '127.0.0.1', Number(started['controlPort'])),
    hold(t, '127.0.0.1', Number(started['monitorPort'])),
    hold(t, '::1', Number(started['monitorPort'])),
  ];
  await Promise.all(held.map(({ greeted }) => greeted));
  assert.equal(await root.state('web'), 'running');
  assert.match(await root.ok('list'), /running/);
  // The port on ::1 is there for that.
  assert.match((await root.cmd('-c', 'info status', 'web')).stdout, /running/);

  const last = hold(t, '::1', Number(started['controlPort']));
  await last.greeted;
  const busy = await root.cmd('-c', 'info status', 'web');
  assert.equal(busy.code, 0, busy.stderr);
  assert.match(busy.stdout, /running/);
  assert.match(busy.stderr, /web: reached over its own socket \(control port \d+ of 127\.0\.0\.1: no answer/);
  const mon = root.spawn('qemu-mon', ['web'], { tty: true });
  await mon.waitForOutput(/Other clients use monitor port \d+ of web[\s\S]*web \(qemu\) /);
  mon.write('info status\r');
  await mon.waitForOutput(/VM status: running/);
  mon.write('exit\r');
  assert.equal((await mon.result).code, 0);

  await root.ok('wait', 'web', '--for', 'console=ready');
  const stopped = await root.one('stop', 'web');
  assert.equal(stopped['rung'], 'powerdown');
  assert.deepEqual(root.leftovers(), []);
});

test('a person in qemu-mon delays nobody, has QEMU’s own editing, and leaves with Ctrl-]', async (t) => {
  const root = lab(t);
  root.add('web');
  await root.ok('start', 'web');
  const person = root.spawn('qemu-mon', ['web'], { tty: true });
  await person.waitForOutput('(qemu)');
  person.write('info versi\t\r');
  await person.waitForOutput(/info version[\s\S]*\n\d+\.\d+/);
  const second = root.spawn('qemu-mon', ['web'], { tty: true });
  await second.waitForOutput('(qemu)');
  second.write(`${CTRL_BRACKET}`);
  assert.equal((await second.result).code, 0);
  assert.match((await root.cmd('-c', 'info status', 'web')).stdout, /running/);
  person.write(CTRL_BRACKET);
  const left = await person.result;
  assert.equal(left.code, 0);
  assert.match(left.stdout, /Left the monitor/);
  assert.equal(await root.state('web'), 'running');

  const other = root.spawn('qemu-mon', ['web'], { tty: true });
  await other.waitForOutput('(qemu)');
  await root.ok('wait', 'web', '--for', 'console=ready');
  const stopped = await root.one('stop', 'web');
  assert.equal(stopped['rung'], 'powerdown');
  const hungUp = await other.result;
  assert.equal(hungUp.code, 0);
  assert.match(hungUp.stdout, /closed the connection/);
  assert.deepEqual(root.leftovers(), []);
});

test('qemu-mon on a pipe runs one command a line, and goes on after one that is refused', async (t) => {
  const root = lab(t);
  root.add('web', 'NAME=piped\n');
  await root.ok('start', 'web');
  const result = await root.run('qemu-mon', ['web'], {
    input: '# a comment\n\ninfo name\nfrobnicate\n  info status  \n',
  });
  assert.equal(result.code, 1);
  assert.match(result.stdout, /^piped\r?\n.*'frobnicate'.*\r?\nVM status: running\r?\n$/s);
  const quit = await root.run('qemu-mon', ['web'], { input: 'quit\ninfo status\n' });
  assert.equal(quit.code, 0, quit.stderr);
  assert.equal((await root.run('qemu-mon', ['web'], { input: 'info status\n' })).code, 7);
});

test('with TLS a plain client, a web page or a client with another key gets nothing executed', async (t) => {
  const root = lab(t);
  root.add('web');
  const started = await root.one('start', 'web');
  const ports = [Number(started['monitorPort']), Number(started['controlPort'])];
  const quit = [
    'quit\n',
    '{"execute":"qmp_capabilities"}{"execute":"quit"}',
    'POST / HTTP/1.1\r\nHost: x\r\n\r\nquit\r\nquit\r\n',
  ];
  for (const port of ports) {
    for (const host of ['127.0.0.1', '::1']) {
      for (const text of quit) assert.doesNotMatch(await say(host, port, text), /QEMU|QMP/);
    }
    const wrong = connectTls({
      host: '127.0.0.1',
      port,
      ciphers: 'PSK',
      maxVersion: 'TLSv1.2',
      checkServerIdentity: () => undefined,
      pskCallback: () => ({ identity: 'qemu', psk: Buffer.alloc(32, 7) }),
    });
    await new Promise((resolve) => {
      wrong.on('error', resolve);
      wrong.on('secureConnect', () => resolve(assert.fail('another key was taken')));
    });
  }
  // Also with the key, a client that knows nothing newer than TLS 1.1 gets nothing; one with TLS 1.2 does.
  const key = Buffer.from(
    /[0-9a-f]{64}/.exec(readFileSync(root.file('web', 'tls', 'keys.psk'), 'utf8'))?.[0] ?? '',
    'hex',
  );
  for (const [version, isTaken] of [
    ['TLSv1.1', false],
    ['TLSv1.2', true],
  ] as const) {
    const old = connectTls({
      ...{ host: '127.0.0.1', port: ports[1], ciphers: 'PSK:@SECLEVEL=0', minVersion: version, maxVersion: version },
      checkServerIdentity: () => undefined,
      pskCallback: () => ({ identity: 'qemu', psk: key }),
    });
    const result = await new Promise((resolve) =>
      old.on('error', () => resolve(false)).on('secureConnect', () => resolve(true)),
    );
    old.destroy();
    assert.equal(result, isTaken, version);
  }
  assert.equal(await root.state('web'), 'running');
  assert.match((await root.cmd('-c', 'info status', 'web')).stdout, /running/);
  // The key is for this user alone, and goes with the machine.
  assert.match(readFileSync(root.file('web', 'tls', 'keys.psk'), 'utf8'), /^qemu:[0-9a-f]{64}\n$/);
  await root.ok('stop', 'web', '--force');
});

test('MONITOR=off opens no port, and qemu-cmd still works', async (t) => {
  const root = lab(t);
  root.write('etc/qemu/monitor.conf', 'MONITOR=off\n');
  root.add('web');
  const started = await root.one('start', 'web');
  assert.deepEqual([started['monitorPort'], started['controlPort']], [null, null]);
  assert.match((await root.cmd('-c', 'info status', 'web')).stdout, /running/);
  const mon = await root.run('qemu-mon', ['web'], { tty: true });
  assert.equal(mon.code, 1);
  assert.match(mon.stdout, /no monitor port/);
  assert.match((await root.run('qemu-mon', ['web'], { input: 'info status\n' })).stdout, /running/);
  await root.ok('stop', 'web', '--force');
});

test('TLS=off works with both ports, and check warns of it', async (t) => {
  const root = lab(t);
  root.write('etc/qemu/monitor.conf', 'TLS=off\n');
  root.add('web');
  const started = await root.one('start', 'web');
  assert.match((await root.cmd('-q', 'query-name', 'web')).stdout, /"name": "web"/);
  assert.match(await say('127.0.0.1', Number(started['monitorPort']), 'info name\n', /\nweb/), /\nweb/);
  const checked = await root.init('check', 'web');
  assert.equal(checked.code, 0);
  assert.match(checked.stderr, /TLS=off/);
  await root.ok('stop', 'web', '--force');
});

/** A connection that is kept and never used. */
function hold(t: Cleanup, host: string, port: number): { readonly socket: Socket; readonly greeted: Promise<unknown> } {
  const socket = connect({ host, port });
  t.after(() => {
    socket.destroy();
  });
  socket.on('error', () => undefined);
  return { socket, greeted: new Promise((resolve) => socket.once('data', resolve)) };
}

/** Sends a text, and resolves with what came back until the peer hung up, or `until` matches. */
async function say(host: string, port: number, text: string, enough: RegExp = /$^/): Promise<string> {
  const socket = connect({ host, port });
  let answer = '';
  let closed = false;
  socket.on('data', (chunk: Buffer) => {
    answer += chunk.toString('latin1');
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    closed = true;
  });
  socket.write(text);
  await until(`${host}:${port} answers or hangs up`, () => closed || enough.test(answer));
  socket.destroy();
  return answer;
}
