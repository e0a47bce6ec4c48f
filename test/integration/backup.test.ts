import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { backupLab, MIB } from '../support/backup-lab.ts';
import { parseJson } from '../support/cli.ts';
import { debian13Qemu } from '../support/debian-13-qemu.ts';
import { type JsonObject, lab, until } from '../support/lab.ts';
import { GUEST_MS } from '../support/linux-guest.ts';
import { qemuImg } from '../support/odd-images.ts';
import { checkRecords, lastWritten, writerDisk, writerGuest, writerMachine } from '../support/writer-guest.ts';

test('a full and five incremental backups of a guest that writes each have every record up to their instant; after a kill of QEMU the next is full', async (t) => {
  const root = lab(t);
  root.ownPorts();
  writerDisk(join(root.etcDir, 'größe, 1.qcow2'));
  writerDisk(join(root.etcDir, 'two.img'), { format: 'raw' });
  const guest = writerMachine(writerGuest(root.etcDir, { disks: 2, agent: true }));
  root.add('web', `${guest}QGA=on\nDSK1="größe,, 1.qcow2"\nDSK2=two.img,format=raw\n`);
  const dest = join(root.dir, 'a b');
  mkdirSync(dest);
  await root.ok('start', 'web');
  const written = (): number[] => ['vda', 'vdb'].map((disk) => lastWritten(root.console('web'), disk));
  await until('it writes', () => Math.min(...written()) > 20, GUEST_MS);
  const hasAgent = async (): Promise<boolean> =>
    /"frontend-open": ?true[^}]*"agent0"|"agent0"[^}]*"frontend-open": ?true/.test(
      (await root.cmd('-q', 'query-chardev', 'web')).stdout,
    );
  await until('the agent is there', hasAgent, GUEST_MS);
  const made: { readonly line: string; readonly least: number[] }[] = [];
  for (let count = 0; count < 6; count += 1) {
    const least = written();
    made.push({ line: await root.ok('backup', 'create', 'web', dest), least });
  }
  assert.match(made[0]?.line ?? '', /^web: full backup in "/);
  for (const { line } of made.slice(1)) assert.match(line, /^web: incremental backup in "/);
  await root.ok('kill', 'web');
  const last = await root.ok('backup', 'create', 'web', dest);
  assert.match(last, /full backup \(DSK1 has no bitmap of .*QEMU or the host went down\)/);
  for (const { line, least } of [...made, { line: last, least: written() }]) {
    const folder = /in "([^"]+)"/.exec(line)?.[1] ?? '';
    for (const [at, file] of ['dsk1.qcow2', 'dsk2.qcow2'].entries()) {
      const { last: found, wrong, isClean } = checkRecords(join(folder, file));
      // The agent froze the file systems of those that were made while the machine ran.
      assert.deepEqual([wrong, isClean], [[], line !== last]);
      assert.ok(found >= Number(least[at]), `${folder}: ${found} of ${least[at]}`);
    }
  }
  await root.ok('backup', 'verify', dest);
  assert.deepEqual(checkRecords(join(root.etcDir, 'größe, 1.qcow2')).wrong, []);
});

test('what changed is copied from running and stopped machines in turn, zeros too, and --keep merges the rest', async (t) => {
  const host = backupLab(t);
  await host.ok('start', 'web');
  const first = await host.backUp();
  assert.deepEqual([first['kind'], first['reason'], first['parent']], ['full', null, null]);
  const contents = [[first['point'], host.content()]] as [unknown, Buffer][];
  const take = async (...words: string[]): Promise<Record<string, unknown>> => {
    const result = await host.backUp(...words);
    contents.push([result['point'], host.content()]);
    assert.deepEqual([result['kind'], result['reason']], ['incremental', null]);
    return result;
  };
  await host.poke(1, MIB, 65_536);
  const { parent, sizeBytes } = await take();
  assert.equal(parent, first['point']);
  assert.ok(Number(sizeBytes) < MIB, String(sizeBytes));
  // What the guest has made zero must not show through from the point before.
  await host.poke(0, 2 * MIB, 512 * 1024);
  await take('--compress');
  await host.poke(2, 3 * MIB + 512, 1024);
  await host.ok('stop', 'web', '--force');
  await take();
  await take();
  await host.ok('start', 'web');
  await host.poke(3, 0, 4096);
  await take('--rate', '1G');
  for (const [point, content] of contents) host.assertEqual(point, content);
  await host.poke(4, 5 * MIB, 4096);
  const { removed } = await take('--keep', '3');
  assert.ok(Array.isArray(removed));
  assert.equal(removed.length, 4);
  const left = contents.slice(-3);
  assert.deepEqual(
    readdirSync(host.points)
      .filter((name) => !name.startsWith('.'))
      .toSorted(),
    left.map(([point]) => point),
  );
  for (const [point, content] of left) host.assertEqual(point, content);
  await host.ok('backup', 'verify', host.dest);
  host.assertTidy();
  const work = join(host.stateDir, 'web', 'work.json');
  assert.equal(existsSync(work), false);
});

test('a changed image, a resize, a lost point, a damaged one and --full lead to a full backup that says why', async (t) => {
  const host = backupLab(t);
  const image = join(host.etcDir, 'web.qcow2');
  let named = image;
  let counter = 1;
  const expectFull = async (reason: RegExp, ...words: string[]): Promise<void> => {
    const result = await host.backUp(...words);
    assert.equal(result['kind'], 'full');
    assert.match(String(result['reason']), reason);
    await host.assertRestores(result['point'], { image: named });
    execFileSync('qemu-io', ['-c', `write -P ${counter} ${counter}M 64k`, named], { stdio: 'ignore' });
    counter += 1;
    const next = await host.backUp();
    assert.equal(next['kind'], 'incremental', 'a new chain has begun');
    await host.assertRestores(next['point'], { image: named });
  };
  await host.backUp();
  await expectFull(/^asked for$/, '--full');
  await host.ok('snapshot', 'create', 'web', 'before');
  assert.equal((await host.backUp())['kind'], 'incremental', 'a snapshot changes nothing');
  await host.ok('snapshot', 'revert', 'web', 'before');
  await expectFull(/DSK1 has no bitmap of .*: the image was replaced or reverted/);
  qemuImg('convert', '-O', 'qcow2', image, `${image}.new`);
  qemuImg('convert', '-O', 'qcow2', `${image}.new`, image);
  await expectFull(/DSK1 has no bitmap of .*: the image was replaced/);
  rmSync(
    join(
      host.points,
      readdirSync(host.points)
        .filter((name) => /^\d/.test(name))
        .toSorted()
        .at(-1) ?? '',
    ),
    { recursive: true },
  );
  await expectFull(/DSK1 has no bitmap/);
  const [last = ''] = readdirSync(host.points)
    .filter((name) => /^\d/.test(name))
    .toSorted()
    .slice(-2);
  truncateSync(join(host.points, last, 'dsk1.qcow2'), 65_536);
  await expectFull(/the last point, .*, cannot be continued: .* has 65536 bytes instead of/);
  qemuImg('resize', '-q', image, '32M');
  await expectFull(/DSK1 had 16777216 bytes at .* and has 33554432 now/);
  // An overlay has no bitmap; a base that changes below one is noticed, too.
  const overlay = join(host.etcDir, 'top.qcow2');
  qemuImg('create', '-q', '-f', 'qcow2', '-b', image, '-F', 'qcow2', overlay);
  host.write(
    'etc/qemu/web-qemu.cfg',
    readFileSync(join(host.etcDir, 'web-qemu.cfg'), 'utf8').replace('web.qcow2', 'top.qcow2'),
  );
  named = overlay;
  await expectFull(/DSK1 was ".*web\.qcow2" at .* and is ".*top\.qcow2" now/);
  qemuImg('resize', '-q', image, '33M');
  await expectFull(/the image that DSK1 rests on has changed/);
});

test('another folder begins with a full backup, and both go on in turn', async (t) => {
  const host = backupLab(t);
  await host.ok('start', 'web');
  const other = join(host.dir, 'other');
  mkdirSync(other);
  await host.backUp();
  await host.poke(9, 0, 65_536);
  const toOther = async (): Promise<JsonObject | undefined> =>
    (parseJson(await host.init('backup', 'create', 'web', other, '--json')) as JsonObject[])[0];
  const begun = await toOther();
  assert.equal(begun?.['kind'], 'full');
  await host.assertRestores(begun?.['point'], { dest: other });
  await host.poke(8, MIB, 65_536);
  const { kind, point } = await host.backUp();
  assert.equal(kind, 'incremental');
  host.assertEqual(point);
  const next = await toOther();
  assert.equal(next?.['kind'], 'incremental');
  await host.assertRestores(next?.['point'], { dest: other });
  await host.ok('backup', 'verify', other);
});

test('a machine with a saved state is not backed up while it is stopped, for its disks belong to that state', async (t) => {
  const host = backupLab(t);
  await host.ok('start', 'web');
  await host.backUp();
  await host.ok('save', 'web');
  const { code, stderr } = await host.tryBackUp();
  assert.equal(code, 1);
  assert.match(stderr, /Cannot back up its disks: machine "web" has a saved state/);
  await host.ok('start', 'web');
  assert.equal((await host.backUp())['kind'], 'incremental');
  await host.ok('kill', 'web');
});

const other = debian13Qemu();

test('QEMU 10 makes the same backups', { skip: 'obstacle' in other ? other.obstacle : false }, async (t) => {
  const host = backupLab(t, 'obstacle' in other ? '' : `TGTARCH=${other.program}\n`);
  await host.ok('start', 'web');
  await host.backUp();
  await host.poke(0, MIB, MIB);
  const { kind, point } = await host.backUp();
  assert.equal(kind, 'incremental');
  host.assertEqual(point);
  await host.ok('kill', 'web');
});
