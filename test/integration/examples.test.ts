import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { lab } from '../support/lab.ts';
import { repoRoot } from '../support/repo.ts';

/** Runs an example as its reader would; inside the package `qemu-init` is the package itself. */
async function example(name: string, args: readonly string[] = [], root = ''): Promise<string> {
  const env = { ...process.env, QEMU_INIT_ROOT: root };
  const { stdout } = await promisify(execFile)(process.execPath, [join(repoRoot, 'examples', name), ...args], { env });
  return stdout;
}

test('every example is run here', () => {
  assert.deepEqual(readdirSync(join(repoRoot, 'examples')).sort(), [
    'fleet-status.mjs',
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
