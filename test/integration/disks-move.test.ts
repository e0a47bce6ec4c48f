import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { setKey } from '../../src/config/text/edit-text.ts';
import { QmpClient } from '../../src/index.ts';
import { withLock } from '../../src/system/lock/lock.ts';
import { parseJson } from '../support/cli.ts';
import { killBefore } from '../support/kill-before.ts';
import { type JsonObject, type Lab, lab, until } from '../support/lab.ts';
import { GUEST_MS } from '../support/linux-guest.ts';
import type { Cleanup } from '../support/temp-root.ts';
import { checkRecords, lastWritten, writerDisk, writerGuest, writerMachine } from '../support/writer-guest.ts';

const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;
/** Names of images are those of people. */
const NAMES = ['zwei ä.qcow2', 'drei, ö.qcow2', 'vier.qcow2', 'fünf, x.qcow2', 'sechs.qcow2'];

function qemuImg(...args: readonly string[]): string {
  return execFileSync('qemu-img', args, { encoding: 'utf8' });
}

/** Objects of a list. */
function objects(value: unknown): JsonObject[] {
  assert.ok(Array.isArray(value));
  return value;
}

/** A machine whose guest writes without end, as a user that may not write to the folder of its images. */
async function writer(t: Cleanup): Promise<Lab & { readonly path: (name: string) => string }> {
  const root = lab(t);
  root.ownPorts();
  const path = (name: string): string => join(root.etcDir, name);
  writerDisk(path('one.qcow2'));
  const guest = writerGuest(root.etcDir);
  copyFileSync(guest.kernel, path('kernel'));
  chmodSync(root.dir, 0o711);
  if (isRoot) chownSync(path('one.qcow2'), NOBODY, NOBODY);
  const user = isRoot ? 'RUNAS=nobody\nSANDBOX=on\nNETIF=managed\n' : '';
  root.add(
    'web',
    `${writerMachine({ ...guest, kernel: path('kernel') })}${user}DSK1="one.qcow2,discard=unmap" # of the guest\n`,
  );
  await root.ok('start', 'web');
  await until('the guest writes', () => written(root) > 3, GUEST_MS);
  return { ...root, path };
}

function written(root: Lab): number {
  return lastWritten(root.console('web'));
}

async function goesOn(root: Lab, timeoutMs = 20_000): Promise<void> {
  const before = written(root);
  await until('the guest writes on', () => written(root) > before + 1, timeoutMs);
}

async function disk(root: Lab): Promise<JsonObject> {
  return objects((await root.one('disk', 'list', 'web'))['disks'])[0] ?? {};
}

async function jobs(root: Lab): Promise<JsonObject[]> {
  return objects((await root.one('jobs', 'web'))['jobs']);
}

async function qmp(root: Lab, command: string, args: object = {}): Promise<unknown> {
  const result = await root.cmd('-q', JSON.stringify({ execute: command, arguments: args }), 'web');
  assert.equal(result.code, 0, result.stderr);
  return JSON.parse(result.stdout);
}

/** All is at rest: what the machine's file names is what the guest writes to, and nothing else is left. */
async function atRest(root: Lab, kept: readonly string[]): Promise<string> {
  const { file } = await disk(root);
  assert.deepEqual(await jobs(root), []);
  assert.equal(existsSync(join(root.stateDir, 'web/work.json')), false);
  const line = readFileSync(join(root.etcDir, 'web-qemu.cfg'), 'utf8').match(
    /^DSK1="([^"]*?),format=qcow2,discard=unmap" # of the guest$/m,
  );
  if (basename(String(file)) !== 'one.qcow2') assert.equal(line?.[1]?.replaceAll(',,', ','), basename(String(file)));
  const images = readdirSync(root.etcDir).filter((name) => name.includes('.qcow2'));
  assert.deepEqual(images.sort(), [...new Set([...kept, basename(String(file))])].sort());
  const nodes = objects(await qmp(root, 'query-named-block-nodes', { flat: true }));
  const cache = nodes.map((node) => node['cache'] as JsonObject);
  assert.ok(
    cache.every((each) => each['no-flush'] === false),
    'flushes reach the disk',
  );
  return basename(String(file));
}

/** Starts a command and kills it when `when` has come. Returns whether it was killed. */
async function kill(root: Lab, args: readonly string[], when: () => Promise<unknown>): Promise<boolean> {
  const command = root.spawn('qemu-init', args);
  await once(command.child, 'spawn');
  await when();
  command.child.kill('SIGKILL');
  return (await command.result).code !== 0;
}

/** The job that makes the image comes before: of a command that is killed in that one nothing is left. */
const copying = (root: Lab) => () =>
  until('it copies', async () => (await jobs(root)).some(({ type }) => type === 'mirror'));

/** Leaves a job whose command was killed between the moment when the copy is equal and the pivot. */
async function killReady(root: Lab, name: string): Promise<JsonObject> {
  await withLock(join(root.runDir, '.registry.lock'), { timeoutMs: 10_000 }, async () => {
    const isKilled = await kill(root, ['disk', 'mirror', 'web', 'DSK1', join(root.etcDir, name)], () =>
      // The command waits for the lock then.
      until('both are the same', async () => (await jobs(root))[0]?.['status'] === 'ready').then(() => sleep(300)),
    );
    assert.ok(isKilled);
  });
  const [job] = await qmpJobs(root);
  await rawQmp(root, 'job-complete', { id: job?.['id'] });
  await until('QEMU waits', async () => (await qmpJobs(root))[0]?.['status'] !== 'ready');
  return JSON.parse(readFileSync(join(root.stateDir, 'web/work.json'), 'utf8'));
}

/** By a client of its own: a command of ours would settle it. */
async function qmpJobs(root: Lab): Promise<JsonObject[]> {
  return objects(await rawQmp(root, 'query-jobs'));
}

async function rawQmp(root: Lab, command: string, args: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
  const client = new QmpClient();
  await client.open({ kind: 'unix', path: root.file('web', 'qemu', 'qmp.sock') });
  try {
    return await client.executeRaw(command, args);
  } finally {
    await client.close();
  }
}

test('a disk that moves while its guest writes loses no record, whoever is killed at whatever moment', async (t) => {
  const root = await writer(t);
  const mirror = (name: string, ...more: string[]) => ['disk', 'mirror', 'web', 'DSK1', root.path(name), ...more];
  const [two = '', three = '', four = '', five = '', six = ''] = NAMES;

  await t.test('it goes on in the copy, which its user owns', async () => {
    const moved = parseJson(await root.init(...mirror(two), '--json'));
    assert.ok(Array.isArray(moved));
    const { from, to, format } = moved[0] as JsonObject;
    assert.deepEqual([from, to, format], [root.path('one.qcow2'), root.path(two), 'qcow2']);
    await goesOn(root);
    assert.equal(await atRest(root, ['one.qcow2']), two);
    if (isRoot) assert.equal(statSync(root.path(two)).uid, NOBODY);
    assert.deepEqual(checkRecords(root.path('one.qcow2')).wrong, []);
    assert.match(await root.ok('reload', 'web'), /nothing to change/);
  });

  await t.test('a command killed while it copies leaves a copy that goes on, and can be ended', async () => {
    assert.ok(await kill(root, mirror(three, '--rate', '1M'), copying(root)));
    const looked = await root.init('status', 'web');
    assert.match(looked.stderr, /interrupted: copying DSK1 to ".*": it goes on inside QEMU .*jobs resume web/);
    const refused = await root.init('disk', 'resize', 'web', 'DSK1', '+16M');
    assert.match(refused.stderr, /busy since .*copying DSK1.*, by an interrupted command/);
    const [job] = objects((await root.one('status', 'web'))['jobs']);
    assert.equal(job?.['type'], 'mirror');
    await root.ok('jobs', 'cancel', 'web', String(job?.['id']));
    assert.equal(await atRest(root, ['one.qcow2']), two);
    await goesOn(root);
  });

  await t.test('or be taken up again, with its progress', async () => {
    // Slow enough to be there when it is looked for, and faster than the guest writes.
    assert.ok(await kill(root, mirror(three, '--rate', '4M'), copying(root)));
    await root.ok('jobs', 'resume', 'web');
    assert.equal(await atRest(root, ['one.qcow2', two]), three);
    await goesOn(root);
    assert.match(await root.ok('jobs', 'resume', 'web'), /no command was interrupted/);
  });

  await t.test(
    'killed before the file names the copy: the next command lets the guest go on where it was',
    async () => {
      await killReady(root, four);
      const before = written(root);
      const began = performance.now();
      await root.ok('status', 'web');
      assert.equal(await atRest(root, ['one.qcow2', two]), three);
      await until('the guest writes on', () => written(root) > before, 2_000 + performance.now() - began);
    },
  );

  await t.test('killed after that: the next command lets it go on in the copy', async () => {
    const record = await killReady(root, four);
    const [edit] = objects(record['cfgEdits']);
    const cfg = root.path('web-qemu.cfg');
    writeFileSync(cfg, setKey(readFileSync(cfg, 'utf8'), 'DSK1', String(edit?.['to'])));
    const listed = await root.init('list');
    assert.match(listed.stderr, /interrupted: copying DSK1 to ".*vier.qcow2": it is finished now/);
    assert.equal(await atRest(root, ['one.qcow2', two, three]), four);
    await goesOn(root);
  });

  await t.test('killed at any moment: it is in one of both, and the file says in which', async () => {
    let now = four;
    const kept = ['one.qcow2', two, three];
    for (const [at, delayMs] of [200, 320, 450].entries()) {
      const next = `k${at}.qcow2`;
      await kill(root, mirror(next), () => sleep(delayMs));
      await root.ok('jobs', 'resume', 'web');
      const there = existsSync(root.path(next));
      if (there) kept.push(now);
      assert.equal(await atRest(root, kept), there ? next : now);
      if (there) now = next;
    }
    await goesOn(root);
  });

  await t.test('killed between two steps: nothing is left, not even what is hidden', async () => {
    const kept = readdirSync(root.etcDir).filter((name) => name.includes('.qcow2'));
    const next = 'between.qcow2';
    for (const [step, command] of [
      ['"execute":"job-dismiss"', ['disk', 'list', 'web']],
      [`rename ${root.path('.web-qemu.cfg.')}`, ['check', 'web']],
    ] as const) {
      await killBefore(root, step, mirror(next));
      await root.ok(...command);
      await atRest(root, kept);
      const hidden = [root.etcDir, join(root.stateDir, 'web')].flatMap((dir) => readdirSync(dir));
      assert.deepEqual(
        hidden.filter((name) => name.startsWith('.')),
        [],
        step,
      );
    }
    await goesOn(root);
  });

  await t.test('Ctrl-C undoes it', async () => {
    const kept = readdirSync(root.etcDir).filter((name) => name.includes('.qcow2'));
    const command = root.spawn('qemu-init', mirror(five, '--rate', '1M'));
    await copying(root)();
    command.child.kill('SIGINT');
    assert.notEqual((await command.result).code, 0);
    await atRest(root, kept);
  });

  await t.test('it grows while the guest runs, but not during a copy, and never becomes smaller', async () => {
    await root.ok('disk', 'resize', 'web', 'DSK1', '+16M');
    assert.equal((await disk(root))['virtualSizeBytes'], 80 * 1024 ** 2);
    assert.match((await root.init('disk', 'resize', 'web', 'DSK1', '64M')).stderr, /cannot become smaller while/);
    assert.match((await root.init('disk', 'check', 'web')).stderr, /only be checked when it is stopped/);
    const command = root.spawn('qemu-init', mirror(five, '--rate', '1M'));
    await copying(root)();
    assert.match((await root.init('disk', 'resize', 'web', 'DSK1', '+16M')).stderr, /busy since .*, by process \d+/);
    command.child.kill('SIGINT');
    await command.result;
    assert.equal((await disk(root))['virtualSizeBytes'], 80 * 1024 ** 2);
  });

  await t.test('a chain collapses, whoever is killed at whatever moment', async () => {
    for (const [at, delayMs] of [250, 380, undefined].entries()) {
      const base = String((await disk(root))['file']);
      const kept = readdirSync(root.etcDir).filter((name) => name.includes('.qcow2'));
      const overlay = await overlayOf(root, base, `overlay ${at}.qcow2`);
      await goesOn(root);
      const args = ['disk', 'commit', 'web', 'DSK1'];
      if (delayMs === undefined) await root.ok(...args);
      else await kill(root, args, () => sleep(delayMs));
      await root.ok('jobs', 'resume', 'web');
      if (existsSync(overlay)) await root.ok(...args);
      assert.equal(existsSync(overlay), false);
      assert.equal(await atRest(root, kept), basename(base));
    }
  });

  await t.test('QEMU is killed in the middle: the file names an image with all of it', async () => {
    await killReady(root, six);
    const told = written(root);
    execFileSync('kill', ['-9', String(root.qemus()[0])]);
    await root.init('status', 'web');
    assert.equal(existsSync(root.path(six)), false);
    const [now] = objects((await root.one('disk', 'list', 'web'))['disks']);
    const { last, wrong } = checkRecords(String(now?.['file']));
    assert.deepEqual(wrong, []);
    assert.ok(last >= told, `${last} of ${told}`);
    assert.match(qemuImg('check', String(now?.['file'])), /No errors/);
    assert.match(await root.ok('disk', 'check', 'web'), /is in order/);
  });

  await t.test('of a machine that does not run the same, and any command sets it right', async () => {
    const kept = readdirSync(root.etcDir);
    for (const command of [
      ['jobs', 'web'],
      ['disk', 'list', 'web'],
    ] as const) {
      await killBefore(root, `rename ${root.path('.web-qemu.cfg.')}`, mirror(six));
      assert.match((await root.init(...command)).stderr, /interrupted: copying DSK1 to ".*": it is undone/);
      assert.deepEqual(readdirSync(root.etcDir), kept);
    }
    // What is left when it is killed over the record of its work.
    writeFileSync(join(root.stateDir, 'web/work.json'), '');
    assert.equal((await root.init('check', 'web')).stderr, '');
    assert.deepEqual(readdirSync(join(root.stateDir, 'web')), []);
    assert.ok(checkRecords(String((await disk(root))['file'])).last > 0);
  });
});

/** Puts an overlay above the disk, as an external snapshot would. */
async function overlayOf(root: Lab, base: string, name: string): Promise<string> {
  const overlay = join(root.etcDir, name);
  qemuImg('create', '-q', '-f', 'qcow2', '-F', 'qcow2', '-b', basename(base), overlay);
  if (isRoot) chownSync(overlay, NOBODY, NOBODY);
  const { node } = await disk(root);
  const cfg = join(root.etcDir, 'web-qemu.cfg');
  writeFileSync(cfg, setKey(readFileSync(cfg, 'utf8'), 'DSK1', `${name},format=qcow2,discard=unmap`));
  const how = { mode: 'existing', format: 'qcow2', 'node-name': node, 'snapshot-file': overlay };
  await qmp(root, 'blockdev-snapshot-sync', { ...how, 'snapshot-node-name': name.replaceAll(/[ .]/g, '-') });
  return overlay;
}
