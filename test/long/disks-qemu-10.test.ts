import assert from 'node:assert/strict';
import { chmodSync, chownSync, copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { debian13Qemu } from '../support/debian-13-qemu.ts';
import { type JsonObject, lab, until } from '../support/lab.ts';
import { qemuImg } from '../support/odd-images.ts';
import { enterOwnMounts, mountAgain, unmount } from '../support/own-mounts.ts';
import { checkRecords, lastWritten, writerDisk, writerGuest, writerMachine } from '../support/writer-guest.ts';

await enterOwnMounts();

const NOBODY = 65_534;
const { program = '', obstacle } = debian13Qemu();

test('on QEMU 10, as another user in its sandbox that may not write to the folder of its images, no record of a guest is lost or torn: backups and restores, snapshots of all kinds, a move, a merge, a saved state', {
  skip: obstacle,
}, async (t) => {
  const root = lab(t);
  root.ownPorts();
  chmodSync(root.dir, 0o711);
  // The cache is root's.
  const qemu = join(root.dir, 'qemu-10');
  mkdirSync(qemu);
  mountAgain(dirname(program), qemu);
  t.after(() => unmount(qemu));
  const dest = join(root.dir, 'b, ü');
  mkdirSync(dest);
  const image = writerDisk(join(root.etcDir, 'eins, ä.qcow2'));
  chownSync(image, NOBODY, NOBODY);
  const guest = writerGuest(root.etcDir);
  const kernel = join(root.etcDir, 'kernel');
  copyFileSync(guest.kernel, kernel);
  root.add(
    'web',
    `TGTARCH=${join(qemu, 'qemu')}\nRUNAS=nobody\nSANDBOX=on\nNETIF=managed\n${writerMachine({ ...guest, kernel })}DSK1="eins,, ä.qcow2"\n`,
  );
  const written = (): number => lastWritten(root.console('web'));
  const goesOn = async (): Promise<void> => {
    const before = root.console('web').length;
    await until('it writes', () => lastWritten(root.console('web').slice(before)) >= 0, 240_000);
  };
  const boots = (): number => [...root.console('web').matchAll(/^boot /gm)].length;
  const disk = async (): Promise<string> =>
    String(((await root.one('disk', 'list', 'web'))['disks'] as JsonObject[])[0]?.['file']);
  await root.ok('start', 'web');
  assert.match((await root.cmd('-q', 'query-version', 'web')).stdout, /"major": ?10/);
  const status = readFileSync(`/proc/${String((await root.one('status', 'web'))['pid'])}/status`, 'utf8');
  assert.match(status, /^Uid:(?:\t65534){4}$/m);
  assert.match(status, /^Seccomp:\t2$/m);
  await goesOn();

  const least: number[] = [];
  for (const kind of ['full', 'incremental', 'incremental']) {
    least.push(written());
    assert.match(await root.ok('backup', 'create', 'web', dest), new RegExp(`${kind} backup in`));
    await goesOn();
  }

  await root.ok('snapshot', 'create', 'web', 'warm', '--memory');
  await goesOn();
  assert.equal((await root.one('snapshot', 'revert', 'web', 'warm'))['memory'], true);
  await goesOn();
  assert.equal(boots(), 1);
  await root.ok('snapshot', 'delete', 'web', 'warm');
  assert.match(await root.ok('backup', 'create', 'web', dest), /full backup \(/);

  const told = written();
  for (const name of ['a', 'b']) {
    await root.ok('snapshot', 'create', 'web', name, '--external');
    await goesOn();
  }
  await root.ok('snapshot', 'delete', 'web', 'a');
  const [kept] = (await root.one('snapshot', 'revert', 'web', 'b'))['kept'] as string[];
  await until('it boots again', () => boots() === 2, 240_000);
  await goesOn();
  rmSync(String(kept));
  await root.ok('snapshot', 'delete', 'web', 'b');
  assert.equal(await disk(), image);

  const moved = join(root.etcDir, 'zwei, ö.qcow2');
  await root.ok('disk', 'mirror', 'web', 'DSK1', moved);
  await goesOn();
  await root.ok('disk', 'resize', 'web', 'DSK1', '+8M');
  assert.equal((await root.one('save', 'web'))['outcome'], 'saved');
  assert.equal((await root.one('start', 'web'))['restored'], true);
  await goesOn();
  assert.equal(boots(), 2);
  const end = written();
  await root.ok('stop', 'web', '--force');
  assert.equal(await disk(), moved);
  const now = checkRecords(moved);
  assert.deepEqual(now.wrong, []);
  assert.ok(now.last >= end && now.last >= told, `${now.last} of ${end}`);
  qemuImg('check', moved);

  const points = readdirSync(join(dest, 'web')).filter((name) => /^\d/.test(name));
  assert.equal(points.length, 4);
  for (const [at, point] of points.slice(0, 3).entries()) {
    const out = join(root.dir, `out ${at}`);
    await root.ok('restore', dest, `web@${point}`, '--as', `copy${at}`, '--output', out);
    const found = checkRecords(join(out, readdirSync(out).find((name) => name.endsWith('qcow2')) ?? ''));
    assert.deepEqual(found.wrong, []);
    assert.ok(found.last >= Number(least[at]), `${found.last} of ${least[at]}`);
  }
  await root.ok('start', 'copy1');
  await until('the copy writes on', () => lastWritten(root.console('copy1')) > Number(least[1]), 240_000);
  await root.ok('kill', 'copy1');
});
