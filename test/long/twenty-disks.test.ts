import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { MIB } from '../support/backup-lab.ts';
import { type JsonObject, type Lab, lab } from '../support/lab.ts';
import { qemuImg } from '../support/odd-images.ts';

const NAMES = Array.from({ length: 20 }, (_, at) => `größe ${at + 1}, x.qcow2`);

/** Where a word is written on each disk; on the first one far behind. */
const place = (at: number): string => (at === 0 ? '199G' : '512K');

function write(file: string, at: number, word: number): void {
  execFileSync('qemu-io', ['-c', `write -P ${word} ${place(at)} 64k`, file], { stdio: 'ignore' });
}

/** Fails unless each of the images has its word. */
function assertWords(files: readonly string[], word: (at: number) => number): void {
  assert.equal(files.length, NAMES.length);
  for (const [at, file] of files.entries()) {
    const text = execFileSync('qemu-io', ['-r', '-c', `read -P ${word(at)} ${place(at)} 64k`, file], {
      encoding: 'utf8',
    });
    assert.doesNotMatch(text, /failed/, file);
    assert.ok(statSync(file).blocks * 512 < 64 * MIB, 'it is sparse');
  }
}

async function imagesOf(root: Lab, name: string): Promise<string[]> {
  const disks = (await root.one('disk', 'list', name))['disks'] as JsonObject[];
  return disks.map(({ file }) => String(file));
}

test('twenty disks with blanks, commas and umlauts, one of 200 GB: backups, restore, snapshots of both kinds, a move', async (t) => {
  const root = lab(t);
  root.ownPorts();
  const dest = join(root.dir, 'Sicherung, ü');
  mkdirSync(dest);
  const files = NAMES.map((name) => join(root.etcDir, name));
  for (const [at, file] of files.entries()) {
    qemuImg('create', '-q', '-f', 'qcow2', file, at === 0 ? '200G' : '1M');
    write(file, at, at + 1);
  }
  root.add('web', NAMES.map((name, at) => `DSK${at + 1}="${name.replace(',', ',,')}"\n`).join(''));
  const line = await root.ok('backup', 'create', 'web', dest);
  assert.match(line, /full backup/);
  const folder = /in "([^"]+)"/.exec(line)?.[1] ?? '';
  assert.equal(readdirSync(folder).length, 22);
  await root.ok('snapshot', 'create', 'web', 'vor, ü');
  for (const [at, file] of files.entries()) write(file, at, at + 101);
  assert.match(await root.ok('backup', 'create', 'web', dest), /incremental backup/);
  await root.ok('backup', 'verify', dest);

  await root.ok('start', 'web');
  await root.ok('snapshot', 'revert', 'web', 'vor, ü');
  await root.ok('snapshot', 'delete', 'web', 'vor, ü');
  await root.ok('snapshot', 'create', 'web', 'außen, 1', '--external');
  const moved = join(root.etcDir, 'neu, ö 1.qcow2');
  await root.ok('snapshot', 'delete', 'web', 'außen, 1');
  await root.ok('disk', 'mirror', 'web', 'DSK1', moved);
  assert.match(await root.ok('backup', 'create', 'web', dest), /full backup \(/);
  await root.ok('stop', 'web', '--force');
  const now = await imagesOf(root, 'web');
  assert.deepEqual(now, [moved, ...files.slice(1)]);
  assertWords(now, (at) => at + 1);
  assert.deepEqual(
    readdirSync(root.etcDir).filter((name) => /part|außen/.test(name)),
    [],
  );

  const points = readdirSync(join(dest, 'web')).filter((name) => /^\d/.test(name));
  assert.equal(points.length, 3);
  for (const [index, name] of ['alt', 'später', 'neu'].entries()) {
    await root.ok('restore', dest, `web@${points[index]}`, '--as', `copy${index}`, '--output', join(root.dir, name));
    const copies = await imagesOf(root, `copy${index}`);
    assert.ok(copies.every((file) => file.startsWith(join(root.dir, name)) && basename(file).includes(', ')));
    assertWords(copies, (at) => (index === 1 ? at + 101 : at + 1));
  }
  assert.match(readFileSync(join(root.dir, 'alt', 'copy0-qemu.cfg'), 'utf8'), /^DSK20=/m);
  await root.ok('start', 'copy1');
  await root.ok('stop', 'copy1', '--force');
});
