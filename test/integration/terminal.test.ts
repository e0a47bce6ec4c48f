import assert from 'node:assert/strict';
import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { QmpClient } from '../../src/index.ts';
import { readProcess } from '../../src/system/process/process.ts';
import { type Lab, lab, until } from '../support/lab.ts';
import { repoRoot } from '../support/repo.ts';
import type { Cleanup } from '../support/temp-root.ts';

const CTRL_BRACKET = '\x1d';
const CTRL_C = '\x03';
const CTRL_D = '\x04';

/** Starting a tool takes its time on a busy host. */
const SEEN_MS = 90_000;

/** A tool on a pseudo-terminal of its own, with a shell around it that looks at the terminal before and after. */
interface Session {
  readonly child: ChildProcessWithoutNullStreams;
  /** Process of the tool. */
  readonly pid: number;
  /** Path of its terminal. */
  readonly tty: string;
  output(): string;
  type(text: string): void;
  /** Waits for something that is printed from the last such wait on. */
  sees(pattern: string): Promise<void>;
  /** The exit status as the shell saw it, and whether the terminal is as it was. */
  end(): Promise<{ readonly status: number; readonly isRestored: boolean }>;
}

/** Makes SIGUSR2 a bug in the tool. */
const CRASH = "process.on('SIGUSR2', () => { throw new Error('a bug'); });\n";

let count = 0;

async function session(t: Cleanup, root: Lab, tool: string, ...args: readonly string[]): Promise<Session> {
  const at = join(root.dir, `session${++count}`);
  writeFileSync(`${at}.cjs`, CRASH);
  const command = [process.execPath, join(repoRoot, 'bin', tool), ...args].map((word) => `'${word}'`).join(' ');
  const script = [
    `stty -g >${at}.before`,
    `NODE_OPTIONS='--require ${at}.cjs' sh -c "echo \\$\\$ >${at}.pid; exec ${command}"`,
    `echo $? >${at}.status`,
    `stty -g >${at}.after`,
  ].join('\n');
  const child = spawn('script', ['-q', '-f', '-E', 'never', '-c', script, '/dev/null'], {
    env: { ...process.env, QEMU_INIT_ROOT: root.dir, SHELL: '/bin/sh' },
  });
  const closed = once(child, 'close');
  t.after(() => {
    child.kill('SIGKILL');
  });
  let output = '';
  let seen = 0;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stdin.on('error', () => undefined);
  const read = (name: string): string =>
    existsSync(`${at}.${name}`) ? readFileSync(`${at}.${name}`, 'utf8').trim() : '';
  const runs = (): boolean => read('pid') !== '' && readProcess(Number(read('pid'))) !== undefined;
  await until('the tool runs', runs, SEEN_MS);
  const pid = Number(read('pid'));
  return {
    child,
    pid,
    tty: readlinkSync(`/proc/${pid}/fd/0`),
    output: () => output,
    type: (text) => child.stdin.write(text),
    sees: async (pattern) => {
      await until(`"${pattern}" is shown behind:\n${output}`, () => output.includes(pattern, seen), SEEN_MS);
      seen = output.indexOf(pattern, seen) + pattern.length;
    },
    end: async () => {
      await closed;
      return { status: Number(read('status')), isRestored: read('before') !== '' && read('before') === read('after') };
    },
  };
}

function settings(tty: string): string {
  return execFileSync('stty', ['-F', tty, '-a'], { encoding: 'utf8' });
}

const SESSIONS = [
  { name: 'qemu-mon', tool: 'qemu-mon', args: ['web'], ready: '(qemu)', leave: CTRL_BRACKET },
  { name: 'qemu-mon --qmp', tool: 'qemu-mon', args: ['--qmp', 'web'], ready: 'web> ', leave: CTRL_D },
  {
    name: 'qemu-mon --read-only',
    tool: 'qemu-mon',
    args: ['--read-only', 'web'],
    ready: '(read-only) ',
    leave: 'exit\r',
  },
  { name: 'qemu-init console', tool: 'qemu-init', args: ['console', 'web'], ready: 'Leave with', leave: CTRL_BRACKET },
] as const;

for (const { name, tool, args, ready, leave } of SESSIONS) {
  test(`${name} leaves the terminal as it was, however it ends`, async (t) => {
    const root = lab(t);
    root.add('web');
    await root.ok('start', 'web');
    const ends = [
      { how: leave, status: 0 },
      { how: 'SIGINT', status: 130 },
      { how: 'SIGTERM', status: 143 },
      { how: 'SIGHUP', status: 129 },
      { how: 'SIGUSR2', status: 1 },
    ] as const;
    for (const { how, status } of ends) {
      const open = await session(t, root, tool, ...args);
      await open.sees(ready);
      await until('the terminal is raw', () => settings(open.tty).includes('-icanon'));
      if (how.startsWith('SIG')) process.kill(open.pid, how);
      else open.type(how);
      assert.deepEqual(await open.end(), { status, isRestored: true }, `${JSON.stringify(how)}: ${open.output()}`);
    }
    assert.equal(await root.state('web'), 'running');
    const last = await session(t, root, tool, ...args);
    await last.sees(ready);
    // The terminal itself goes away.
    last.child.kill('SIGKILL');
    await until('the tool is gone', () => readProcess(last.pid) === undefined);
    await root.ok('kill', 'web');
  });
}

test('a session that was stopped by job control is raw again when it goes on', async (t) => {
  const root = lab(t);
  root.add('web');
  await root.ok('start', 'web');
  const open = await session(t, root, 'qemu-mon', 'web');
  await open.sees('(qemu)');
  await until('the terminal is raw', () => settings(open.tty).includes('-icanon'));
  process.kill(open.pid, 'SIGSTOP');
  execFileSync('stty', ['-F', open.tty, 'sane']);
  process.kill(open.pid, 'SIGCONT');
  await until('the terminal is raw again', () => settings(open.tty).includes('-icanon'));
  open.type('info name\r');
  await open.sees('web');
  open.type(CTRL_BRACKET);
  assert.deepEqual(await open.end(), { status: 0, isRestored: true });
  await root.ok('kill', 'web');
});

test('the QMP shell keeps to the width of the terminal, also after it was changed', async (t) => {
  const root = lab(t);
  root.add('web');
  await root.ok('start', 'web');
  for (const columns of [120, 40]) {
    const open = await session(t, root, 'qemu-mon', '--qmp', 'web');
    await open.sees('web> ');
    // One change, after which the line is drawn anew once. A second drawing would mix with what is typed below.
    execFileSync('stty', ['-F', open.tty, 'cols', String(columns)]);
    await open.sees('web> ');
    const from = open.output().length;
    // A Tab with text behind it, in one read, was pasted and is no wish for completion: each key waits for its echo.
    for (const [key, shown] of [
      ['query-cp', 'query-cp'],
      ['\t', 'u'],
      ['\t', 'query-cpus-fast'],
    ] as const) {
      open.type(key);
      await open.sees(shown);
    }
    await open.sees('query-cpu');
    const lines = open.output().slice(from).split('\r\n');
    const widths = lines.filter((line) => !line.includes('web>')).map((line) => line.length);
    assert.ok(Math.max(...widths) <= columns, `${widths}`);
    assert.equal(Math.max(...widths) > 40, columns > 40, `${widths}`);
    open.type(CTRL_C);
    await open.sees('web> ');
    open.type(CTRL_D);
    assert.equal((await open.end()).status, 0);
  }
  await root.ok('kill', 'web');
});

test('Ctrl-C in the QMP shell gives up a line, or a command that waits, and not the shell', async (t) => {
  const root = lab(t);
  root.add('web');
  const { pid } = await root.one('start', 'web');
  const open = await session(t, root, 'qemu-mon', '--qmp', 'web');
  await open.sees('web> ');
  open.type(`no such command${CTRL_C}`);
  await open.sees('web> ');
  open.type('query-name\r');
  await open.sees('"name": "web"');
  process.kill(Number(pid), 'SIGSTOP');
  open.type('query-name\r');
  await open.sees('query-name');
  open.type(CTRL_C);
  await open.sees('web> ');
  process.kill(Number(pid), 'SIGCONT');
  open.type('query-status\r');
  await open.sees('"status": "running"');
  // History: the line before the one that was given up.
  open.type('\x1b[A\x1b[A\r');
  await open.sees('"name": "web"');
  open.type('set_link up=t');
  await open.sees('up=t');
  open.type('\t');
  await open.sees('rue');
  open.type(`${CTRL_C}exit\r`);
  assert.deepEqual(await open.end(), { status: 0, isRestored: true });
  await root.ok('kill', 'web');
});

test('shells that are left open are in nobody’s way, and outlive a restart of the machine', async (t) => {
  const root = lab(t);
  root.add('web');
  await root.ok('start', 'web');
  const shells = [];
  for (const args of [['--qmp'], ['--qmp'], ['--read-only']]) {
    shells.push(await session(t, root, 'qemu-mon', ...args, 'web'));
  }
  for (const shell of shells) await shell.sees('web');
  assert.equal((await root.cmd('-c', 'info status', 'web', '--timeout', '5')).code, 0);
  const events = root.spawn('qemu-mon', ['--events', 'web']);
  assert.equal((await root.cmd('-c', 'info status', 'web', '--timeout', '5')).code, 0);
  await root.ok('restart', 'web', '--force');
  const [first] = shells;
  first?.type('query-name\r');
  await first?.sees('"name": "web"');
  await root.ok('stop', 'web', '--force');
  first?.type('query-name\r');
  await first?.sees('is not running');
  for (const shell of shells) {
    shell.type(`${CTRL_C}${CTRL_D}`);
    assert.deepEqual(await shell.end(), { status: 0, isRestored: true });
  }
  events.child.kill('SIGTERM');
  await events.result;
});

test('read-only on a terminal: a shell that lets looks pass, completes them, and nothing else', async (t) => {
  const root = lab(t);
  root.add('web');
  await root.ok('start', 'web');
  const open = await session(t, root, 'qemu-mon', '--read-only', 'web');
  await open.sees('(read-only) ');
  open.type('info nam');
  await open.sees('info nam');
  open.type('\t');
  await open.sees('e');
  open.type('\r');
  await open.sees('web\r\n');
  for (const line of ['quit', 'system_reset', 'x /1x 0']) {
    open.type(`${line}\r`);
    await open.sees('changes the machine');
  }
  open.type('exit\r');
  assert.equal((await open.end()).status, 0);
  assert.equal(await root.state('web'), 'running');
  await root.ok('kill', 'web');
});

test('without a control port events are refused, and the QMP shell does without', async (t) => {
  const root = lab(t);
  root.write('etc/qemu/monitor.conf', 'MONITOR=off\n');
  root.add('web');
  await root.ok('start', 'web');
  const events = await root.run('qemu-mon', ['--events', 'web']);
  assert.equal(events.code, 6);
  assert.match(events.stderr, /no control port/);
  const shell = await root.run('qemu-mon', ['--qmp', 'web'], { input: 'query-name\n' });
  assert.equal(shell.code, 0, shell.stderr);
  assert.match(shell.stdout, /"name": "web"/);
  await root.ok('kill', 'web');
});

test('events end quietly when their reader has seen enough', async (t) => {
  const root = lab(t);
  root.add('web');
  await root.ok('start', 'web');
  const events = root.spawn('qemu-mon', ['--events', 'web']);
  events.child.stdout.once('data', () => events.child.stdout.destroy());
  let hasEnded = false;
  const result = events.result.finally(() => {
    hasEnded = true;
  });
  while (!hasEnded) {
    await root.run('qemu-cmd', ['-c', 'stop', 'web']);
    await root.run('qemu-cmd', ['-c', 'cont', 'web']);
  }
  const { code, stderr } = await result;
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
  await root.ok('kill', 'web');
});

const ENDLESS_BYTES = 64 * 1024 * 1024;

test('a reader that does not read makes the peer of a session wait, and gets everything when it reads', async () => {
  const script = `
    import { Duplex } from 'node:stream';
    const { attach } = await import(process.argv[1]);
    let left = ${ENDLESS_BYTES};
    const peer = new Duplex({
      read() {
        const size = Math.min(left, 65536);
        left -= size;
        this.push(size === 0 ? null : Buffer.alloc(size, 'x'));
      },
      write: (chunk, encoding, done) => done(),
    });
    peer.once('pause', () => process.stderr.write(String(left)));
    await attach(peer, new AbortController().signal);
  `;
  const url = new URL('../../src/cli/input/terminal.js', import.meta.url).href;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, url]);
  const [left] = await once(child.stderr.setEncoding('utf8'), 'data');
  assert.ok(ENDLESS_BYTES - Number(left) < 1024 * 1024, `${left} bytes were left`);
  let received = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    received += chunk.length;
  });
  await once(child, 'close');
  assert.equal(received, ENDLESS_BYTES);
});

test('a peer that takes nothing makes a pipe wait', async () => {
  const script = `
    import { Duplex } from 'node:stream';
    const { attach } = await import(process.argv[1]);
    let taken = 0;
    let go = () => {};
    const peer = new Duplex({
      read() {},
      write(chunk, encoding, done) {
        taken += chunk.length;
        go = done;
      },
      final(done) {
        process.stdout.write(String(taken), () => this.push(null));
        done();
      },
    });
    process.stdin.once('pause', () => process.stderr.write(String(taken + peer.writableLength)));
    process.on('message', () => {
      peer._write = (chunk, encoding, done) => {
        taken += chunk.length;
        done();
      };
      go();
    });
    await attach(peer, new AbortController().signal);
    process.disconnect();
  `;
  const url = new URL('../../src/cli/input/terminal.js', import.meta.url).href;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, url], {
    stdio: ['pipe', 'pipe', 'pipe', 'ipc'],
  });
  const { stdin, stdout, stderr } = child;
  assert.ok(stdin && stdout && stderr);
  stdin.end(Buffer.alloc(ENDLESS_BYTES, 'x'));
  const [held] = await once(stderr.setEncoding('utf8'), 'data');
  assert.ok(Number(held) < 1024 * 1024, `${held} bytes were taken`);
  child.send('go on');
  const [taken] = await once(stdout.setEncoding('utf8'), 'data');
  assert.equal(Number(taken), ENDLESS_BYTES);
  await once(child, 'close');
});

test('events that a slow reader leaves are counted, and neither QEMU nor qemu-mon keeps them', async (t) => {
  const root = lab(t);
  root.add('web');
  await root.ok('start', 'web');
  const events = root.spawn('qemu-mon', ['--events', 'web', 'STOP', 'RESUME'], { timeoutMs: 300_000 });
  const monitor = await QmpClient.connect({ kind: 'unix', path: root.file('web', 'qemu', 'qmp.sock') });
  const toggle = async (): Promise<void> => {
    await monitor.execute('stop');
    await monitor.execute('cont');
  };
  const isListening = async (): Promise<boolean> => {
    await toggle();
    return events.stdout() !== '';
  };
  await until('events arrive', isListening, SEEN_MS);
  events.child.stdout.pause();
  for (let turn = 0; turn < 3_000; turn++) await toggle();
  events.child.stdout.resume();
  // The next event that arrives tells of the loss.
  await until(
    'the loss is told',
    async () => {
      await toggle();
      return /\d+ events were lost so far/.test(events.stderr());
    },
    SEEN_MS,
  );
  await monitor.close();
  events.child.kill('SIGTERM');
  const { code, stdout } = await events.result;
  assert.equal(code, 0);
  const lost = Number(/.*\b(\d+) events were lost/s.exec(events.stderr())?.[1]);
  assert.ok(lost > 0 && stdout.split('\n').length < 6_000, `${lost}`);
  await root.ok('kill', 'web');
});
