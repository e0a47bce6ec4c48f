import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
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
    'restart-gracefully.mjs',
    'throwaway-machine.mjs',
    'wait-for-shutdown.mjs',
  ]);
});

test('the throw-away machine tells version and devices', async () => {
  const text = await example('throwaway-machine.mjs');
  assert.match(text, /^QEMU \d+\.\d+\.\d+ is prelaunch\nrng is in slot \d+\n$/);
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
