import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorCode, type QemuError } from '../../../src/base/errors.ts';
import { removeTree } from '../../../src/system/files/remove-tree.ts';
import { dropDeadLock, type LockHolder, withLock } from '../../../src/system/lock/lock.ts';
import { bootId, readProcess } from '../../../src/system/process/process.ts';
import { type Cleanup, tempDir } from '../../support/temp-root.ts';

const HOUR_MS = 3_600_000;

/** Only a lock that is free, or held by nobody alive, is got so: nothing is ever waited for. */
const AT_ONCE = { timeoutMs: 0, onWait: () => assert.fail('had to wait') };

const MODULE = JSON.stringify(import.meta.resolve('../../../src/system/lock/lock.js'));

/** A process that runs `body` with `withLock` and `path` in scope. */
function startNode(t: Cleanup, path: string, body: string): ChildProcess {
  const program = `const { withLock } = await import(${MODULE}); const path = ${JSON.stringify(path)}; ${body}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => void child.kill('SIGKILL'));
  return child;
}

async function firstOutput(child: ChildProcess): Promise<void> {
  if (child.stdout) await once(child.stdout, 'data');
}

/** A process that holds the lock until it is killed. */
async function startHolder(t: Cleanup, path: string, purpose: string): Promise<ChildProcess & { pid: number }> {
  const child = startNode(
    t,
    path,
    `await withLock(path, { timeoutMs: 0, purpose: ${JSON.stringify(purpose)} }, () => new Promise(() => {
      setInterval(() => {}, ${HOUR_MS});
      console.log('held');
    }));`,
  );
  await firstOutput(child);
  return Object.assign(child, { pid: child.pid ?? 0 });
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

async function isFree(path: string): Promise<boolean> {
  return withLock(path, AT_ONCE, () => Promise.resolve(true));
}

test('withLock() gives back what its body gives, and leaves nothing behind', async (t) => {
  const dir = tempDir(t);
  assert.equal(await withLock(join(dir, 'lock'), AT_ONCE, () => Promise.resolve(5)), 5);
  assert.deepEqual(readdirSync(dir), []);
});

test('withLock() lets go when its body fails, and passes the error on', async (t) => {
  const path = join(tempDir(t), 'lock');
  const failure = new Error('from the body');
  await assert.rejects(
    withLock(path, AT_ONCE, () => Promise.reject(failure)),
    failure,
  );
  assert.ok(await isFree(path));
});

test('a lock names its holder from its first instant', async (t) => {
  const dir = tempDir(t);
  await withLock(join(dir, 'lock'), { ...AT_ONCE, purpose: 'stop' }, async () => {
    const name = `holder.${process.pid}.${readProcess(process.pid)?.startTime}.${bootId().slice(0, 8)}`;
    assert.deepEqual(readdirSync(join(dir, 'lock')), [name]);
    assert.equal(readFileSync(join(dir, 'lock', name), 'utf8'), 'stop');
    assert.deepEqual(readdirSync(dir), ['lock']);
  });
});

test('20 processes that count in one file under the lock lose no step', async (t) => {
  const dir = tempDir(t);
  const counter = join(dir, 'counter');
  writeFileSync(counter, '0');
  const body = `
    import { readFileSync, writeFileSync } from 'node:fs';
    for (let step = 0; step < 5; step += 1) {
      await withLock(path, { timeoutMs: ${HOUR_MS} }, async () => {
        const count = Number(readFileSync(${JSON.stringify(counter)}, 'utf8'));
        await new Promise(setImmediate);
        writeFileSync(${JSON.stringify(counter)}, String(count + 1));
      });
    }`;
  const children = Array.from({ length: 20 }, () => startNode(t, join(dir, 'lock'), body));
  const codes = await Promise.all(children.map(async (child) => (await once(child, 'exit'))[0]));
  assert.deepEqual(codes, Array(20).fill(0));
  assert.equal(readFileSync(counter, 'utf8'), '100');
  assert.deepEqual(readdirSync(dir), ['counter']);
});

test('calls in one process take turns, in the order in which they came', async (t) => {
  const dir = tempDir(t);
  const order: number[] = [];
  let inside = 0;
  await Promise.all(
    Array.from({ length: 50 }, (_, number) =>
      withLock(join(dir, 'lock'), { timeoutMs: HOUR_MS }, async () => {
        inside += 1;
        await new Promise(setImmediate);
        assert.equal(inside, 1);
        order.push(number);
        inside -= 1;
      }),
    ),
  );
  assert.deepEqual(
    order,
    Array.from({ length: 50 }, (_, number) => number),
  );
});

test('two locks in one folder do not hinder each other', async (t) => {
  const dir = tempDir(t);
  await withLock(join(dir, 'lock'), AT_ONCE, async () => {
    assert.ok(await isFree(join(dir, 'lock2')));
    assert.ok(await isFree(join(dir, 'lock.2')));
  });
});

test('the lock of a process that was killed is free at once', async (t) => {
  const dir = tempDir(t);
  await kill(await startHolder(t, join(dir, 'lock'), 'start'));
  assert.ok(existsSync(join(dir, 'lock')));
  assert.ok(await isFree(join(dir, 'lock')));
  assert.deepEqual(readdirSync(dir), []);
});

test('a process killed at any moment of taking and giving back leaves a lock that is free at once', async (t) => {
  const dir = tempDir(t);
  const path = join(dir, 'lock');
  for (let round = 0; round < 12; round += 1) {
    const child = startNode(t, path, 'for (;;) await withLock(path, { timeoutMs: 0 }, async () => console.log("x"));');
    const lines = createInterface({ input: child.stdout ?? process.stdin })[Symbol.asyncIterator]();
    for (let line = 0; line <= round * 7; line += 1) await lines.next();
    await kill(child);
    assert.ok(await isFree(path));
    assert.deepEqual(readdirSync(dir), []);
  }
});

test('a call that waits is told once for whom, and goes on when that process is killed', async (t) => {
  const path = join(tempDir(t), 'lock');
  const holder = await startHolder(t, path, 'stop');
  const told: LockHolder[] = [];
  const onWait = (who: LockHolder) => {
    told.push(who);
    holder.kill('SIGKILL');
  };
  assert.equal(await withLock(path, { timeoutMs: HOUR_MS, onWait }, () => Promise.resolve('done')), 'done');
  assert.deepEqual(told, [{ pid: holder.pid, command: 'stop' }]);
});

test('a process is never told that it waits for itself', async (t) => {
  const path = join(tempDir(t), 'lock');
  const onWait = () => assert.fail('it was told so');
  let second: Promise<string> | undefined;
  await withLock(path, { ...AT_ONCE, purpose: 'stop' }, async () => {
    await assert.rejects(
      withLock(path, { timeoutMs: 0 }, () => assert.fail('two at once')),
      { code: 'QEMU_LOCKED', message: `Lock "${path}" is held by another call of this process ("stop")` },
    );
    second = withLock(path, { timeoutMs: HOUR_MS, onWait }, () => Promise.resolve('done'));
    // Longer than it takes until one is told.
    await sleep(700);
  });
  assert.equal(await second, 'done');
});

test('a holder without a purpose is known by its command line', async (t) => {
  const path = join(tempDir(t), 'lock');
  const holder = await startHolder(t, path, '');
  await assert.rejects(
    withLock(path, { timeoutMs: 0 }, () => Promise.resolve()),
    { code: 'QEMU_LOCKED', message: new RegExp(`^Lock "${path}" is held by process ${holder.pid} \\(".*node.* -e `) },
  );
});

test('a call that waits too long fails with QEMU_LOCKED and names the holder', async (t) => {
  const path = join(tempDir(t), 'lock');
  const holder = await startHolder(t, path, 'start');
  await assert.rejects(
    withLock(path, { timeoutMs: 20 }, () => assert.fail('two at once')),
    { code: 'QEMU_LOCKED', message: `Lock "${path}" is held by process ${holder.pid} ("start")` },
  );
});

test('calls in this process that wait too long, or are aborted, leave the queue', async (t) => {
  const path = join(tempDir(t), 'lock');
  const abort = new AbortController();
  await withLock(path, { ...AT_ONCE, purpose: 'first' }, async () => {
    const options = { timeoutMs: HOUR_MS, signal: abort.signal };
    const aborted = withLock(path, options, () => assert.fail('two at once'));
    await assert.rejects(
      withLock(path, { timeoutMs: 0 }, () => assert.fail('two at once')),
      { code: 'QEMU_LOCKED', message: /another call of this process \("first"\)/ },
    );
    abort.abort();
    await assert.rejects(aborted, { code: 'QEMU_ABORTED' });
    await assert.rejects(
      withLock(path, options, () => assert.fail('two at once')),
      { code: 'QEMU_ABORTED' },
    );
  });
  assert.ok(await isFree(path));
});

test('a deadline of years does not overflow', async (t) => {
  const path = join(tempDir(t), 'lock');
  const first = withLock(path, { timeoutMs: Number.POSITIVE_INFINITY }, () => new Promise(setImmediate));
  await withLock(path, { timeoutMs: 1e12 }, () => Promise.resolve());
  await first;
});

const LIVING = readProcess(process.pid)?.startTime;
const BOOT = bootId().slice(0, 8);
const ALIVE = `holder.${process.pid}.${LIVING}.${BOOT}`;

for (const [what, make] of [
  ['an empty folder', (path: string) => mkdirSync(path)],
  ['a file', (path: string) => writeFileSync(path, '')],
  ['a holder with an unknown form of name', (path: string) => holderFolder(path, 'holder.me')],
  ['a holder that is a folder', (path: string) => mkdirSync(join(path, 'deep/er'), { recursive: true })],
  ['a holder of another boot', (path: string) => holderFolder(path, `holder.${process.pid}.${LIVING}.00000000`)],
  ['a holder with the pid of another process', (path: string) => holderFolder(path, `holder.1.1.${BOOT}`)],
  ['a name cut in half', (path: string) => holderFolder(path, `holder.${process.pid}.${LIVING}`)],
  ['a folder with the name of a living holder', (path: string) => mkdirSync(join(path, ALIVE), { recursive: true })],
  [
    'a link with the name of a living holder',
    (path: string) => {
      mkdirSync(path);
      symlinkSync('/etc/passwd', join(path, ALIVE));
    },
  ],
  [
    'the name of a living holder, written by another user,',
    (path: string) => {
      holderFolder(path, ALIVE);
      // Only root can make it so; for others it is a dead one.
      if (process.getuid?.() === 0) chownSync(join(path, ALIVE), 64_321, 64_321);
      else renameSync(join(path, ALIVE), join(path, 'holder.1.1.0'));
    },
  ],
  ['several dead holders', (path: string) => holderFolder(path, `holder.1.1.${BOOT}`, `holder.2.1.${BOOT}`)],
] as const) {
  test(`${what} in place of the lock holds nobody up`, async (t) => {
    const dir = tempDir(t);
    make(join(dir, 'lock'));
    assert.ok(await isFree(join(dir, 'lock')));
    assert.deepEqual(readdirSync(dir), []);
  });
}

function holderFolder(path: string, ...names: string[]): void {
  mkdirSync(path);
  for (const name of names) writeFileSync(join(path, name), 'stop');
}

test('what dead processes left on their way to the lock is cleared away, what living ones make is not', async (t) => {
  const dir = tempDir(t);
  const living = `lock.${process.pid}.1`;
  for (const name of ['lock.2147483646.1', living, 'lock.2147483646.x', 'other.2147483646.1']) {
    holderFolder(join(dir, name), 'holder.1.1.abc');
  }
  assert.ok(await isFree(join(dir, 'lock')));
  assert.deepEqual(readdirSync(dir).sort(), [living, 'lock.2147483646.x', 'other.2147483646.1'].sort());
});

test('missing folders above the lock are made', async (t) => {
  const dir = tempDir(t);
  assert.ok(await isFree(join(dir, 'run/web/lock')));
  assert.deepEqual(readdirSync(join(dir, 'run/web')), []);
});

test('a call that waits gets the lock when the folder that it is in is removed', async (t) => {
  const dir = tempDir(t);
  const path = join(dir, 'web/lock');
  await startHolder(t, path, 'stop');
  const onWait = () => removeTree(join(dir, 'web'));
  assert.equal(await withLock(path, { timeoutMs: HOUR_MS, onWait }, () => Promise.resolve('done')), 'done');
});

test('a body that removes the folder of its own lock does not free the lock of the next one', async (t) => {
  const dir = tempDir(t);
  const path = join(dir, 'web/lock');
  let next: ChildProcess | undefined;
  await withLock(path, AT_ONCE, async () => {
    removeTree(join(dir, 'web'));
    next = await startHolder(t, path, 'start');
  });
  await assert.rejects(
    withLock(path, { timeoutMs: 0 }, () => assert.fail('two at once')),
    { code: 'QEMU_LOCKED', message: `Lock "${path}" is held by process ${next?.pid} ("start")` },
  );
});

test('a body is told when its lock is taken away by force', async (t) => {
  const path = join(tempDir(t), 'lock');
  await isFree(path); // loads the package before its clock is stopped
  t.mock.timers.enable({ apis: ['setTimeout'] });
  await withLock(path, { timeoutMs: HOUR_MS }, async (lost) => {
    const told = once(lost, 'abort');
    removeTree(path);
    t.mock.timers.tick(5_000);
    await told;
    assert.equal(lost.reason.message, `Lock "${path}" was removed`);
  });
  t.mock.timers.reset();
  assert.ok(await isFree(path));
});

test('a folder that nobody may write to is an error, not a wait', async () => {
  await assert.rejects(
    withLock('/proc/self/lock', { timeoutMs: HOUR_MS }, () => Promise.resolve()),
    (error: QemuError) => error.message === 'Cannot lock "/proc/self/lock"' && errorCode(error.cause) === 'ENOENT',
  );
});

test('a process that listens for SIGTERM ends its body first and gives the lock back', async (t) => {
  const path = join(tempDir(t), 'lock');
  const child = startNode(
    t,
    path,
    `const alive = setInterval(() => {}, ${HOUR_MS});
    const stop = new Promise((resolve) => process.on('SIGTERM', resolve));
    await withLock(path, { timeoutMs: 0 }, async () => { console.log('held'); await stop; });
    clearInterval(alive);
    process.exitCode = 7;`,
  );
  await firstOutput(child);
  child.kill('SIGTERM');
  assert.deepEqual(await once(child, 'exit'), [7, null]);
  assert.equal(existsSync(path), false);
});

test('a process that does not listen dies of SIGTERM and gives the lock back', async (t) => {
  const path = join(tempDir(t), 'lock');
  const holder = await startHolder(t, path, 'start');
  holder.kill('SIGTERM');
  assert.deepEqual(await once(holder, 'exit'), [null, 'SIGTERM']);
  assert.equal(existsSync(path), false);
});

test('a process that exits in the middle of its body gives the lock back', async (t) => {
  const path = join(tempDir(t), 'lock');
  const child = startNode(t, path, 'await withLock(path, { timeoutMs: 0 }, () => process.exit(3));');
  assert.deepEqual(await once(child, 'exit'), [3, null]);
  assert.equal(existsSync(path), false);
});

test('a lock is dropped whose holder was killed, with half-made ones, and not one that is held', async (t) => {
  const path = join(tempDir(t), 'lock');
  const holder = await startHolder(t, path, 'start');
  dropDeadLock(path);
  assert.equal(readdirSync(path).length, 1);
  await kill(holder);
  mkdirSync(`${path}.${holder.pid}.1`);
  dropDeadLock(path);
  assert.deepEqual(readdirSync(join(path, '..')), []);
  dropDeadLock(path);
  writeFileSync(path, 'no lock of ours');
  dropDeadLock(path);
  assert.ok(existsSync(path));
});
