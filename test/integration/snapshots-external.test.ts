import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type JsonObject, type Lab, lab, until } from '../support/lab.ts';
import { GUEST_MS } from '../support/linux-guest.ts';
import type { Cleanup } from '../support/temp-root.ts';
import { checkRecords, lastWritten, writerDisk, writerGuest, writerMachine } from '../support/writer-guest.ts';

const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;
const USER = isRoot ? 'NETIF=managed\nRUNAS=nobody\nSANDBOX=on\n' : '';

function give(path: string): void {
  if (isRoot) chownSync(path, NOBODY, NOBODY);
}

const imagesIn = (root: Lab): string[] =>
  readdirSync(root.etcDir)
    .filter((name) => /\.(qcow2|img|part)$/.test(name))
    .sort();
const lineOf = (root: Lab, key: string): string | undefined =>
  new RegExp(`^${key}=(.*)$`, 'm')
    .exec(readFileSync(join(root.etcDir, 'web-qemu.cfg'), 'utf8'))?.[1]
    ?.replace(/^"(.*)"$/, '$1');
const snapshots = async (root: Lab): Promise<unknown[]> =>
  ((await root.one('snapshot', 'list', 'web'))['snapshots'] as JsonObject[]).map(({ name, external, disks }) => [
    name,
    external,
    disks,
  ]);

test('external snapshots of a machine that runs, in a folder of root: a chain of three, a merge in the middle and on top', async (t) => {
  const root = lab(t);
  root.ownPorts();
  chmodSync(root.dir, 0o711);
  const raw = writerDisk(join(root.etcDir, 'one, ä.img'), { format: 'raw' });
  const two = writerDisk(join(root.etcDir, 'two.qcow2'));
  for (const file of [raw, two]) give(file);
  const guest = writerGuest(root.etcDir, { disks: 2 });
  // The cache is root's.
  const kernel = join(root.etcDir, 'kernel');
  copyFileSync(guest.kernel, kernel);
  root.add('web', `${writerMachine({ ...guest, kernel })}${USER}DSK1=one,, ä.img,format=raw\nDSK2=two.qcow2\n`);
  const written = (): [number, number] => [
    lastWritten(root.console('web'), 'vda'),
    lastWritten(root.console('web'), 'vdb'),
  ];
  const goesOn = async (): Promise<void> => {
    const [first, second] = written();
    await until('it writes on', () => written()[0] > first && written()[1] > second, GUEST_MS);
  };
  await root.ok('start', 'web');
  await until('it writes', () => written().every((number) => number > 5), GUEST_MS);
  const at: [number, number][] = [];
  for (const name of ['a', 'b, ü', 'c']) {
    at.push(written());
    const made = await root.one('snapshot', 'create', 'web', name, '--external');
    assert.deepEqual([made['external'], made['disks']], [true, ['DSK1', 'DSK2']]);
    await goesOn();
  }
  assert.equal(lineOf(root, 'DSK1'), 'one,, ä.c.qcow2,format=qcow2');
  assert.equal(lineOf(root, 'DSK2'), 'two.c.qcow2,format=qcow2');
  assert.deepEqual(
    await snapshots(root),
    ['a', 'b, ü', 'c'].map((name) => [name, true, ['DSK1', 'DSK2']]),
  );
  const overlay = join(root.etcDir, 'two.a.qcow2');
  assert.deepEqual(
    [statSync(overlay).uid, statSync(overlay).mode & 0o777],
    [statSync(two).uid, statSync(two).mode & 0o777],
  );
  assert.match(execFileSync('qemu-img', ['info', '-U', overlay], { encoding: 'utf8' }), /^backing file: two\.qcow2 /m);
  // What is below does not change any more.
  const atB = checkRecords(join(root.etcDir, 'two.b, ü.qcow2'));
  assert.deepEqual(atB.wrong, []);
  assert.ok(atB.last >= Number(at[2]?.[1]));

  await root.ok('snapshot', 'delete', 'web', 'b, ü');
  await goesOn();
  await root.ok('snapshot', 'delete', 'web', 'c');
  await goesOn();
  assert.deepEqual(imagesIn(root), ['one, ä.a.qcow2', 'one, ä.img', 'two.a.qcow2', 'two.qcow2']);
  assert.equal(lineOf(root, 'DSK2'), 'two.a.qcow2,format=qcow2');
  assert.deepEqual(await snapshots(root), [['a', true, ['DSK1', 'DSK2']]]);
  assert.match((await root.init('disk', 'commit', 'web', 'DSK1')).stderr, /its layers are the snapshot "a"/);

  const [one, other] = written();
  const back = await root.one('snapshot', 'revert', 'web', 'a');
  assert.equal(back['state'], 'running');
  assert.equal(lineOf(root, 'DSK1'), 'one,, ä.a.2.qcow2,format=qcow2');
  const kept: readonly string[] = [join(root.etcDir, 'one, ä.a.qcow2'), join(root.etcDir, 'two.a.qcow2')];
  assert.deepEqual(back['kept'], kept);
  assert.ok(kept.every((file, index) => checkRecords(file).last >= Number([one, other][index])));
  await until('it writes again', () => [...root.console('web').matchAll(/^boot /gm)].length === 2, GUEST_MS);
  const refused = await root.init('snapshot', 'delete', 'web', 'a');
  assert.match(refused.stderr, /one, ä\.a\.qcow2" rests on .* which would change/);
  for (const file of kept) rmSync(file);
  await root.ok('stop', 'web', '--force');
  await root.ok('snapshot', 'delete', 'web', 'a');
  assert.deepEqual(imagesIn(root), ['one, ä.img', 'two.qcow2']);
  for (const [index, file] of [raw, two].entries()) {
    const { last, wrong } = checkRecords(file, { format: index === 0 ? 'raw' : 'qcow2' });
    assert.deepEqual(wrong, []);
    assert.ok(last >= Number(at[0]?.[index]));
  }
  assert.equal(lineOf(root, 'DSK1'), 'one,, ä.img,format=raw');
});

function stopped(t: Cleanup): Lab {
  const root = lab(t);
  chmodSync(root.dir, 0o711);
  for (const [file, format] of [
    ['one.img', 'raw'],
    ['two.qcow2', 'qcow2'],
  ] as const) {
    execFileSync('qemu-img', ['create', '-q', '-f', format, join(root.etcDir, file), '8M']);
    give(join(root.etcDir, file));
  }
  root.add('web', `${USER}DSK1=one.img,format=raw\nDSK2=two.qcow2 # the second\n`);
  return root;
}

test('external snapshots of a machine that does not run: reverted and merged; a chain in use elsewhere is refused', async (t) => {
  const root = stopped(t);
  const top = (key: string): string => join(root.etcDir, lineOf(root, key)?.replace(/,format=.*| #.*/g, '') ?? '');
  const write = (word: number): void => {
    for (const key of ['DSK1', 'DSK2'])
      execFileSync('qemu-io', [
        '-f',
        top(key).endsWith('img') ? 'raw' : 'qcow2',
        '-c',
        `write -P ${word} 0 64k`,
        top(key),
      ]);
  };
  const reads = (word: number): boolean =>
    ['DSK1', 'DSK2'].every(
      (key) =>
        spawnSync('qemu-io', [
          '-r',
          '-f',
          top(key).endsWith('img') ? 'raw' : 'qcow2',
          '-c',
          `read -P ${word} 0 64k`,
          top(key),
        ]).status === 0,
    );
  write(1);
  await root.ok('snapshot', 'create', 'web', 'a', '--external');
  write(2);
  await root.ok('snapshot', 'create', 'web', 'b', '--external');
  write(3);
  assert.match(String(lineOf(root, 'DSK2')), /^two\.b\.qcow2,format=qcow2 # the second$/);
  await root.ok('snapshot', 'delete', 'web', 'b');
  assert.ok(reads(3));
  const reverted = await root.one('snapshot', 'revert', 'web', 'a');
  assert.ok(reads(1));
  for (const file of reverted['kept'] as string[]) rmSync(file);
  await root.ok('snapshot', 'delete', 'web', 'a');
  assert.ok(reads(1));
  assert.deepEqual(imagesIn(root), ['one.img', 'two.qcow2']);

  // A base that a merge has changed is no surprise to the next start.
  for (const name of ['d', 'e']) await root.ok('snapshot', 'create', 'web', name, '--external');
  await root.ok('start', 'web');
  await root.ok('snapshot', 'delete', 'web', 'd');
  await root.ok('stop', 'web', '--force');
  assert.doesNotMatch((await root.init('start', 'web')).stderr, /has changed/);
  await root.ok('snapshot', 'delete', 'web', 'e');
  await root.ok('stop', 'web', '--force');

  // Of another machine that has the same disk.
  root.add('other', 'DSK1=two.qcow2\n');
  const refused = await root.init('snapshot', 'create', 'web', 'c', '--external');
  assert.notEqual(refused.code, 0);
  assert.match(refused.stderr, /other/);
  const memory = await root.init('snapshot', 'create', 'web', 'c', '--external', '--memory');
  assert.notEqual(memory.code, 0);
  assert.deepEqual(imagesIn(root), ['one.img', 'two.qcow2']);
  writeFileSync(join(root.etcDir, 'other-qemu.cfg'), 'DSK1=three.qcow2\n');
  assert.ok(!existsSync(join(root.stateDir, 'web/work.json')));
});

/** A base that is not a file of this host; the names are those that QEMU spells in another way itself. */
async function remoteBase(t: Cleanup, root: Lab): Promise<readonly string[]> {
  const [image, socket] = [join(root.dir, 'remote.raw'), join(root.dir, 'nbd.sock')];
  execFileSync('qemu-img', ['create', '-q', '-f', 'raw', image, '8M']);
  const server = spawn('qemu-nbd', ['-r', '-t', '-f', 'raw', '-e', '9', '-k', socket, image], { stdio: 'ignore' });
  t.after(() => void server.kill());
  await until('the base is served', () => existsSync(socket), 60_000);
  chmodSync(socket, 0o777);
  return [`nbd+unix:///?socket=${socket}`, `nbd:unix:${socket}`];
}

test('overlays on images that QEMU’s user has by a group only, and on a base of the network, are merged running and stopped', async (t) => {
  const root = lab(t);
  root.ownPorts();
  chmodSync(root.dir, 0o711);
  const [one = '', two = ''] = await remoteBase(t, root);
  const disks: [string, string][] = [
    ['one.qcow2', one],
    ['two.qcow2', two],
  ];
  for (const [file, backing] of disks) {
    const words = ['create', '-q', '-u', '-f', 'qcow2', '-F', 'raw', '-b', backing, join(root.etcDir, file), '8M'];
    execFileSync('qemu-img', words);
    if (isRoot) chownSync(join(root.etcDir, file), 0, NOBODY);
    chmodSync(join(root.etcDir, file), 0o660);
  }
  const lines = disks.map(([file, backing], at) => `DSK${at + 1}=${file},format=qcow2,backing=${backing}\n`);
  root.add('web', `${USER}${lines.join('')}`);
  const deleteEach = async (names: readonly string[]): Promise<void> => {
    for (const name of 'abc') await root.ok('snapshot', 'create', 'web', name, '--external');
    for (const name of names) await root.ok('snapshot', 'delete', 'web', name);
    assert.deepEqual(imagesIn(root), ['one.qcow2', 'two.qcow2']);
  };
  await root.ok('start', 'web');
  await deleteEach(['b', 'c', 'a']);
  await root.ok('stop', 'web', '--force');
  await deleteEach(['b', 'c', 'a']);

  // A group that may only read is no reason to remove anything.
  if (!isRoot) return;
  for (const name of 'ab') await root.ok('snapshot', 'create', 'web', name, '--external');
  for (const name of 'ab') chmodSync(join(root.etcDir, `one.${name}.qcow2`), 0o640);
  for (const name of 'ab') {
    const refused = await root.init('snapshot', 'delete', 'web', name);
    assert.equal(refused.code, 4, refused.stderr);
    assert.match(refused.stderr, /one\.[ab]\.qcow2" would be removed, but user "nobody" may not write to it/);
  }
  assert.ok(existsSync(join(root.etcDir, 'one.a.qcow2')) && existsSync(join(root.etcDir, 'one.b.qcow2')));
});
