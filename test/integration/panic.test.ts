import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Lab, lab, until } from '../support/lab.ts';

/** The port of the pvpanic device, and its bit for a panic (docs/specs/pvpanic of QEMU). */
const PANIC = 'o/b 0x505 1';

async function panicked(root: Lab): Promise<void> {
  await root.ok('start', 'web');
  await until('the guest has printed', () => root.console('web').includes('tiny guest ready'));
  await root.cmd('-c', PANIC, 'web');
  await until('it is told', async () => (await root.state('web')) === 'guest-panicked');
}

test('a stop keeps the screen and the console of a guest that panicked, and of no other', async (t) => {
  const root = lab(t);
  root.add('web', 'ONPANIC=pause\nVGA=std\n');
  await panicked(root);
  const { code, stderr } = await root.init('stop', 'web');
  assert.equal(code, 0, stderr);
  const [, folder = ''] = /what its guest showed last is kept in "(.*)"/.exec(stderr) ?? [];
  assert.deepEqual(readdirSync(folder).sort(), ['console', 'end.json', 'log', 'screen.png']);
  assert.equal(readFileSync(join(folder, 'screen.png')).toString('latin1', 1, 4), 'PNG');
  assert.match(readFileSync(join(folder, 'console'), 'utf8'), /tiny guest ready/);
  assert.equal(JSON.parse(readFileSync(join(folder, 'end.json'), 'utf8'))['cause'], 'guest-panic');

  await root.ok('start', 'web');
  await root.ok('stop', 'web');
  assert.equal(readdirSync(join(folder, '..')).length, 1);
  assert.deepEqual(root.leftovers(), []);
});

test('a guest without a screen that panicked leaves its console', async (t) => {
  const root = lab(t);
  root.add('web', 'ONPANIC=pause\n');
  await panicked(root);
  const [, folder = ''] = /is kept in "(.*)"/.exec((await root.init('stop', 'web')).stderr) ?? [];
  assert.match(readFileSync(join(folder, 'console'), 'utf8'), /tiny guest ready/);
  assert.equal(existsSync(join(folder, 'screen.png')), false);
});
