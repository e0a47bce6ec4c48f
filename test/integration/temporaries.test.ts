import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { killBefore } from '../support/kill-before.ts';
import { lab } from '../support/lab.ts';

/** A file that a command writes, and the command: it is killed when the file is to get its name. */
const KILLS = {
  'qemu-init.reg': ['unregister', 'web'],
  'web-qemu.cfg': ['enable', 'web'],
  'slots.json': ['start', 'web'],
  'macs.json': ['start', 'web'],
  'launch.json': ['start', 'web'],
  'machine.json': ['start', 'web'],
  'keys.psk': ['start', 'web'],
  'web.json': ['stop', '--force', 'web'],
} as const;

test('a half-written file of a killed command is gone after the next command of its machine', async (t) => {
  const root = lab(t);
  root.add('web', 'NIC1=virtio-net-pci,net=user\n');
  const halves = (): string[] =>
    readdirSync(root.dir, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.tmp'));
  for (const [file, call] of Object.entries(KILLS)) {
    if (call[0] === 'stop') await root.ok('start', 'web');
    await killBefore(root, `/.${file}.`, call);
    assert.notDeepEqual(halves(), [], file);
    await root.init('status', 'web');
    assert.deepEqual(halves(), [], file);
    await root.init('stop', '--force', 'web');
  }
  assert.equal(await root.state('web'), 'stopped');
});
