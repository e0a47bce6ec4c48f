import { equal } from 'node:assert/strict';
import { cpSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { lab } from '../support/lab.ts';
import { repoRoot } from '../support/repo.ts';
import { tempDir } from '../support/temp-root.ts';

test('a start, a look and a stop read no code but what is packed for them', async (t) => {
  const copy = tempDir(t);
  for (const path of ['bin', 'dist/bin', 'package.json']) {
    cpSync(join(repoRoot, path), join(copy, path), { recursive: true });
  }
  const bin = join(copy, 'dist/bin');
  const areas = readdirSync(bin).filter((name) => /-(?:low|machine|fleet|high)\.cjs$/.test(name));
  equal(areas.length, 4);
  for (const name of areas) writeFileSync(join(bin, name), `throw new Error('${name} was read')`);
  const root = lab(t, { path: join(copy, 'bin/qemu-init') });
  root.ownPorts();
  root.add('web', 'VNC=127.0.0.1\nVGA=std\nQGA=on\nRNG=on\nBALLOON=on\nNIC1=virtio,net=user\n');
  for (const words of ['start', 'status', 'stop', 'start', 'status', 'stop']) await root.ok(words, 'web');
});
