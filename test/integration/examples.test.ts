import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { Fleet } from '../../src/index.ts';
import { DEFAULT_BANNER, DISK_BYTES, guestDisk } from '../support/guest-disk.ts';
import { lab } from '../support/lab.ts';
import { repoRoot } from '../support/repo.ts';
import { tempDir } from '../support/temp-root.ts';

/** Runs an example as its reader would; inside the package `qemu-init` is the package itself. */
async function example(name: string, args: readonly string[] = [], root = ''): Promise<string> {
  const env = { ...process.env, QEMU_INIT_ROOT: root };
  const { stdout } = await promisify(execFile)(process.execPath, [join(repoRoot, 'examples', name), ...args], { env });
  return stdout;
}

test('every example is run here', () => {
  assert.deepEqual(readdirSync(join(repoRoot, 'examples')).sort(), [
    'configure-early.mjs',
    'copy-disk.mjs',
    'fleet-status.mjs',
    'new-machine.mjs',
    'restart-gracefully.mjs',
    'throwaway-machine.mjs',
    'wait-for-shutdown.mjs',
  ]);
});

test('the throw-away machine tells version and devices', async () => {
  const text = await example('throwaway-machine.mjs');
  assert.match(text, /^QEMU \d+\.\d+\.\d+ is prelaunch\nrng is in slot \d+\n$/);
});

test('a program creates, clones, renames, exports and deletes machines, and sees each change at once', async (t) => {
  const root = lab(t);
  root.add('web');
  const before = readdirSync(root.etcDir);
  const text = await example('new-machine.mjs', [], root.dir);
  assert.match(text, /^\[ 'web', 'example', 'example-3' \]$/m);
  assert.match(text, /^<uuid>[0-9a-f-]{36}<\/uuid> \d+$/m);
  assert.equal(text.match(/^deleted .*\.(?:qcow2|cfg)$/gm)?.length, 4, text);
  assert.deepEqual(
    readdirSync(root.etcDir).filter((name) => name !== 'qemu-init.reg'),
    before.filter((name) => name !== 'qemu-init.reg'),
  );
});

test('a program imports, checks, registers and enables a machine', async (t) => {
  const root = lab(t);
  root.add('web');
  const fleet = Fleet.open({ root: root.dir });
  const command = root.write('run.sh', 'qemu-system-x86_64 -name shop -m 64 -hda gone.qcow2 -net none\n');
  const dry = await fleet.import({ kind: 'file', path: command }, { dryRun: true });
  assert.equal(dry.configPath, undefined);
  const { configPath, items } = await fleet.import({ kind: 'file', path: command });
  assert.ok(configPath?.endsWith('/shop-qemu.cfg'));
  assert.deepEqual(items, dry.items);
  await assert.rejects(fleet.import({ kind: 'file', path: command }), { code: 'QEMU_IO' });
  const { target, outcome } = await fleet.register('shop');
  assert.deepEqual([outcome, fleet.get('shop').configPath], ['registered', configPath]);
  assert.equal(await fleet.setAutostart(target, true), true);
  assert.equal(await fleet.setAutostart(target, true), false);
  const checked = await fleet.checkMany(fleet.list());
  const problems = checked.map((each) => (each.ok ? each.value.filter(({ severity }) => severity === 'error') : []));
  assert.deepEqual(
    problems.map((each) => each.map(({ key }) => key)),
    [[], ['DSK1']],
  );
  assert.deepEqual((await fleet.check(target)).filter(({ severity }) => severity === 'error').length, 1);
  assert.equal((await fleet.unregister('shop'))?.longName, 'shop');
  assert.deepEqual(
    fleet.list().map(({ longName }) => longName),
    ['web'],
  );
  assert.deepEqual(await fleet.images.list(), []);
});

test('the fleet is shown, and a machine goes down by its power button', async (t) => {
  const root = lab(t);
  root.add('web');
  root.add('db');
  await root.ok('start', 'web');
  await root.ok('wait', 'web', '--for', 'console=.');
  const { dir } = root;
  assert.equal(await example('fleet-status.mjs', [], dir), 'web: running\ndb: stopped\n');
  assert.equal(await example('wait-for-shutdown.mjs', ['web'], dir), 'web went down: guest-shutdown\n');
});

test('a disk of a running machine is copied', async (t) => {
  const root = lab(t);
  root.add('web');
  await root.ok('start', 'web');
  const copy = join(root.dir, 'copy.qcow2');
  assert.equal(
    await example('copy-disk.mjs', ['web', 'dsk1', copy], root.dir),
    `copied ${DISK_BYTES} bytes of dsk1 to ${copy}\n`,
  );
  await root.ok('kill', 'web');
  execFileSync('qemu-img', ['compare', '-q', join(root.etcDir, 'web.img'), copy]);
});

test('a machine is restarted when its guest goes down by itself', async (t) => {
  const root = lab(t);
  root.add('web');
  await root.ok('start', 'web');
  await root.ok('wait', 'web', '--for', 'console=.');
  assert.match(
    await example('restart-gracefully.mjs', ['web'], root.dir),
    /^web went down by powerdown in \d+ s\nweb runs again\n$/,
  );
  assert.equal(await root.state('web'), 'running');
  await root.ok('kill', 'web');
});

test('a machine is configured before it is made', async (t) => {
  const text = await example('configure-early.mjs', [guestDisk(tempDir(t))]);
  assert.equal(text.replace('\r', ''), `${DEFAULT_BANNER}\nQEMU exited with 0\n`);
});
