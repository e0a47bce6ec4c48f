import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { writeGuestDisk } from '../../scripts/guest-disk.mjs';
import { DEFAULT_BANNER } from '../support/guest-disk.ts';
import { LIGHT, lab } from '../support/lab.ts';

const ODD = [
  'two  words, commas,, and "quotes"',
  "it's Zürich Ñandú 日本",
  '$HOME `x` $(x) back\\slash',
  '#hash [a=b;c|d&e] 100%',
];

test('spaces, commas, quotes and umlauts work in DSK1, CDR1, the registry and every folder above', async (t) => {
  const root = lab(t);
  for (const [at, odd] of ODD.entries()) {
    const name = `m${at}`;
    const dir = join(root.dir, `folder ${odd}`);
    mkdirSync(dir);
    writeGuestDisk(join(dir, `${odd}.img`));
    root.write(join(`folder ${odd}`, `${odd}.iso`), new Uint8Array(2048));
    // As the documentation of the file has it: quotes keep what stands between them, a comma of the name is doubled.
    const value = (file: string): string =>
      `"${file.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll(',', ',,')}"`;
    root.write(
      join(`folder ${odd}`, `${name}-qemu.cfg`),
      `${LIGHT}DSK1=${value(`${odd}.img`)}\nCDR1=${value(join(dir, `${odd}.iso`))}\n`,
    );
    const registered = await root.init('register', `s${at}`, join(dir, `${name}-qemu.cfg`));
    assert.equal(registered.code, 0, `${odd}: ${registered.stderr}`);
  }
  assert.equal((await root.json('list')).length, ODD.length);
  await root.ok('check');
  await root.ok('start', '--all');
  for (const at of ODD.keys()) await root.ok('wait', `s${at}`, '--for', `console=^${DEFAULT_BANNER}$`);
  const stopped = await root.json('stop', '--all');
  assert.ok(stopped.every(({ rung }) => rung === 'powerdown'));
  for (const at of ODD.keys()) await root.ok('unregister', `s${at}`);
  assert.deepEqual(await root.json('list'), []);
});

test('the root itself may have such a name', async (t) => {
  const outer = lab(t);
  const dir = join(outer.dir, `a, "ä' $x`);
  const cfg = join(dir, 'etc/qemu/web-qemu.cfg');
  outer.write(
    cfg.slice(outer.dir.length + 1),
    `${LIGHT.replace('VNC=off', 'VNC=unix').replace('QGA=off', 'QGA=on')}DSK1=web.img\n`,
  );
  writeGuestDisk(join(dir, 'etc/qemu/web.img'));
  const run = async (...args: readonly string[]): Promise<string> => {
    const result = await outer.run('qemu-init', ['--root', dir, ...args]);
    assert.equal(result.code, 0, result.stderr);
    return result.stdout;
  };
  await run('register', 'web');
  await run('start', 'web');
  await run('wait', 'web', '--for', 'console=ready');
  assert.match((await outer.run('qemu-cmd', ['--root', dir, '-c', 'info status', 'web'])).stdout, /running/);
  assert.match(await run('stop', 'web'), /powerdown/);
});
