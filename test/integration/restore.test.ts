import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { backupLab, MIB } from '../support/backup-lab.ts';
import { contentOf, makeChain } from '../support/backup-points.ts';
import { type CliResult, parseJson, runCli, spawnCli } from '../support/cli.ts';
import { assertDocument } from '../support/documents.ts';
import { MOMENTS } from '../support/interrupt.ts';
import { killingAt } from '../support/kill-before.ts';
import { type TempRoot, tempRoot } from '../support/temp-root.ts';

const WRITES = [
  [
    { byte: 1, atMiB: 0, sizeMiB: 8 },
    { disk: 2, byte: 7, atMiB: 3, sizeMiB: 1 },
  ],
  [{ byte: 2, atMiB: 1, sizeMiB: 8 }],
];

const NEEDS_ROOT = { skip: process.getuid?.() === 0 ? false : 'needs root' };

const UUID = '11111111-2222-4333-8444-555555555555';
const MAC = '52:54:00:12:34:56';

interface Row {
  readonly name: string;
  readonly shortName: string | null;
  readonly outcome: string;
  readonly configPath: string | null;
  readonly disks: readonly { readonly key: string; readonly path: string; readonly format: string }[];
  readonly notes: readonly string[];
  readonly error?: { readonly code: string; readonly message: string };
}

/** A machine of two disks, the second one raw, and a chain of two points of it. */
function withMachine(root: TempRoot): {
  readonly dest: string;
  readonly points: readonly string[];
  readonly cfg: string;
} {
  const cfg = [
    '# Ein Rechner',
    'RAM=32M',
    'KVM=off',
    `UUID=${UUID}`,
    'VMGENID=on',
    'DSK1="web Größe, eins.qcow2,format=qcow2"  # system'.replace('Größe, eins', 'Größe,, eins'),
    'DSK2=web-data.img',
    `NIC1=virtio-net-pci,net=user,mac=${MAC}`,
    '',
  ].join('\n');
  const etc = root.etcDir;
  const sources = [
    { path: join(etc, 'web Größe, eins.qcow2'), format: 'qcow2' },
    { path: join(etc, 'web-data.img'), format: 'raw' },
  ];
  const dest = join(root.dir, 'backup');
  const points = makeChain(dest, WRITES, { disks: 2, cfg, sources });
  return { dest, points, cfg };
}

function addMachine(root: TempRoot, cfg: string): void {
  root.write('etc/qemu/web-qemu.cfg', cfg);
  root.write('etc/qemu/qemu-init.reg', 'w=web\n');
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', join(root.etcDir, 'web Größe, eins.qcow2'), '16M']);
  execFileSync('qemu-img', ['create', '-q', '-f', 'raw', join(root.etcDir, 'web-data.img'), '16M']);
}

function row(result: CliResult): Row {
  const document = parseJson(result);
  assertDocument(document, 'restore');
  // The schema has just been checked.
  const [first] = document as readonly Row[];
  assert.ok(first, result.stderr);
  return first;
}

function restore(root: TempRoot, ...words: string[]): Promise<CliResult> {
  return runCli('qemu-init', ['restore', ...words, '--json'], { root: root.dir });
}

/** Turns a bit over in the middle of a file. Gives what turns it back. */
function rot(path: string): () => void {
  const bytes = readFileSync(path);
  const rotten = Buffer.from(bytes);
  const at = rotten.length - 70_000;
  rotten.writeUInt8(rotten.readUInt8(at) ^ 1, at);
  writeFileSync(path, rotten);
  return () => writeFileSync(path, bytes);
}

/** What the guest sees on a disk, hashed. */
function disk(path: string, format: string): string {
  const raw = `${path}.raw`;
  execFileSync('qemu-img', ['convert', '-f', format, '-O', 'raw', path, raw]);
  const hash = createHash('sha256').update(readFileSync(raw)).digest('hex');
  execFileSync('rm', [raw]);
  return hash;
}

function hidden(folder: string): string[] {
  return readdirSync(folder).filter((name) => name.startsWith('.'));
}

test('a machine that is gone comes back as it was, where it was', async (t) => {
  const root = tempRoot(t);
  const { dest, points, cfg } = withMachine(root);
  const result = await restore(root, dest, `web@${points[0]}`);
  assert.equal(result.code, 0, result.stderr);
  const found = row(result);
  assert.deepEqual([found.name, found.shortName, found.outcome], ['web', 'web', 'created']);
  assert.deepEqual(
    found.disks.map(({ path, format }) => [path, format]),
    [
      [join(root.etcDir, 'web Größe, eins.qcow2'), 'qcow2'],
      [join(root.etcDir, 'web-data.img'), 'raw'],
    ],
  );
  for (const [index, { path, format }] of found.disks.entries()) {
    assert.equal(disk(path, format), contentOf(dest, points[0] ?? '', { disk: index + 1 }));
    assert.equal(statSync(path).mode & 0o777, 0o600);
  }
  assert.equal(statSync(found.disks[1]?.path ?? '').size, 16 * 1024 * 1024);
  const text = readFileSync(join(root.etcDir, 'web-qemu.cfg'), 'utf8');
  // Only the raw disk gets its format, which its guest must not decide, and the generation is another.
  const [, generation = ''] = /^VMGENID=([0-9a-f-]{36})$/m.exec(text) ?? [];
  assert.notEqual(generation, UUID);
  assert.equal(
    text,
    cfg.replace('VMGENID=on', `VMGENID=${generation}`).replace('DSK2=web-data.img', 'DSK2=web-data.img,format=raw'),
  );
  const checked = await runCli('qemu-init', ['check', 'web'], { root: root.dir });
  assert.equal(checked.code, 0, checked.stdout + checked.stderr);
  assert.deepEqual(hidden(root.etcDir), []);
});

test('a copy has its own name, UUID, addresses and images, and starts next to the original', async (t) => {
  const root = tempRoot(t);
  const { dest, points, cfg } = withMachine(root);
  addMachine(root, cfg);
  const result = await restore(root, dest, 'web', '--as', 'copy');
  assert.equal(result.code, 0, result.stderr);
  const found = row(result);
  assert.deepEqual(
    found.disks.map(({ path }) => path),
    [join(root.etcDir, 'copy Größe, eins.qcow2'), join(root.etcDir, 'copy-data.img')],
  );
  assert.equal(disk(found.disks[0]?.path ?? '', 'qcow2'), contentOf(dest, points[1] ?? ''));
  const text = readFileSync(join(root.etcDir, 'copy-qemu.cfg'), 'utf8');
  assert.ok(!text.includes(UUID) && !text.includes(MAC), text);
  assert.match(text, /^# Ein Rechner$/m);
  assert.match(text, /# system$/m);
  const started = await runCli('qemu-init', ['start', 'web', 'copy'], { root: root.dir });
  assert.equal(started.code, 0, started.stderr);

  const running = await restore(root, dest, 'w');
  assert.equal(running.code, 1);
  assert.match(running.stderr, /Cannot restore machine "web" while it runs/);
  const again = await restore(root, dest, 'web', '--as', 'copy');
  assert.equal(again.code, 6, again.stderr);
});

test('a stopped machine is replaced as a whole, or one disk of it', NEEDS_ROOT, async (t) => {
  const root = tempRoot(t);
  const { dest, points, cfg } = withMachine(root);
  const changed = cfg.replace('RAM=32M', 'RAM=64M');
  addMachine(root, changed);
  const image = join(root.etcDir, 'web Größe, eins.qcow2');
  chownSync(image, 12345, 12345);

  const one = row(await restore(root, dest, `web@${points[1]}`, '--disk', 'dsk2'));
  assert.deepEqual([one.outcome, one.disks.map(({ key }) => key)], ['replaced', ['DSK2']]);
  assert.equal(disk(join(root.etcDir, 'web-data.img'), 'raw'), contentOf(dest, points[1] ?? '', { disk: 2 }));
  assert.equal(readFileSync(join(root.etcDir, 'web-qemu.cfg'), 'utf8'), changed);

  const saved = join(root.stateDir, 'web/saved');
  mkdirSync(saved, { recursive: true });
  const kept = await restore(root, dest, `web@${points[0]}`);
  assert.equal(kept.code, 1);
  assert.match(kept.stderr, /has a saved state/);
  execFileSync('qemu-img', ['snapshot', '-c', 'inside', image]);
  const notes = join(root.stateDir, 'web/snapshots.json');
  const layer = { key: 'DSK1', base: image, format: 'qcow2', overlay: join(root.etcDir, 'web-data.img') };
  writeFileSync(notes, JSON.stringify([{ name: 'outside', created: '', layers: [layer] }]));
  const whole = row(await restore(root, dest, `web@${points[0]}`, '--fresh'));
  assert.match(whole.notes.join(), /Snapshots in the images that were replaced are gone: inside, outside/);
  assert.equal(readFileSync(notes, 'utf8').trim(), '[]');
  assert.ok(!existsSync(saved));
  assert.equal(disk(image, 'qcow2'), contentOf(dest, points[0] ?? ''));
  assert.equal(statSync(image).uid, 12345);
  assert.match(readFileSync(join(root.etcDir, 'web-qemu.cfg'), 'utf8'), /^RAM=32M$/m);
  assert.equal(readFileSync(join(root.etcDir, 'web-qemu.cfg.before-restore'), 'utf8'), changed);
  assert.match(whole.notes.join(), /kept as/);
  assert.deepEqual(hidden(root.etcDir), []);
});

test('a machine that is not registered is replaced too, as a whole or one disk of it', async (t) => {
  const root = tempRoot(t);
  const { dest, points, cfg } = withMachine(root);
  addMachine(root, cfg);
  root.write('etc/qemu/qemu-init.reg', '');
  const one = row(await restore(root, dest, `web@${points[0]}`, '--disk', 'DSK1'));
  assert.equal(one.outcome, 'replaced');
  assert.equal(disk(join(root.etcDir, 'web Größe, eins.qcow2'), 'qcow2'), contentOf(dest, points[0] ?? ''));
  const whole = row(await restore(root, dest, 'web'));
  assert.deepEqual([whole.outcome, whole.shortName], ['replaced', null]);
  assert.equal(disk(join(root.etcDir, 'web Größe, eins.qcow2'), 'qcow2'), contentOf(dest, points[1] ?? ''));
});

test('what is below an overlay that is replaced stays, and neither the restore nor a deletion hides that', async (t) => {
  const root = tempRoot(t);
  const { dest, points, cfg } = withMachine(root);
  addMachine(root, cfg);
  const call = (...words: string[]): Promise<CliResult> => runCli('qemu-init', words, { root: root.dir });
  for (const name of ['first', 'later']) {
    assert.equal((await call('snapshot', 'create', 'web', name, '--external')).code, 0);
  }
  const { notes } = row(await restore(root, dest, `web@${points[0]}`, '--disk', 'DSK1'));
  assert.match(notes.join(), /Snapshot later can still be reverted to: it is in ".*web Größe, eins\.first\.qcow2", /);
  const overlay = readdirSync(root.etcDir).find((name) => name.startsWith('web Größe, eins.later'));
  assert.equal(disk(join(root.etcDir, overlay ?? ''), 'qcow2'), contentOf(dest, points[0] ?? ''));
  assert.match((await call('snapshot', 'delete', 'web', 'first')).stderr, /Snapshot "later" is in ".*eins\.first/);
  for (const [name, left] of [
    ['later', /DSK1 does not rest on ".*eins\.first\.qcow2": what is there stays/],
    ['first', /DSK1 does not rest on ".*eins\.qcow2", ".*eins\.first\.qcow2": what is there stays/],
  ] as const) {
    const deleted = await call('snapshot', 'delete', 'web', name);
    assert.equal(deleted.code, 0, deleted.stderr);
    assert.match(deleted.stderr, left);
    assert.doesNotMatch(deleted.stderr, /DSK2/);
  }
});

test('one image can be taken out, and nothing that is there is written over', async (t) => {
  const root = tempRoot(t);
  const { dest, points, cfg } = withMachine(root);
  const folder = join(root.dir, 'out');
  const found = row(await restore(root, dest, `web@${points[1]}`, '--disk', 'DSK1', '--output', folder));
  assert.deepEqual([found.outcome, found.configPath], ['extracted', null]);
  assert.equal(disk(join(folder, 'web Größe, eins.qcow2'), 'qcow2'), contentOf(dest, points[1] ?? ''));
  for (const words of [
    ['--disk', 'DSK1', '--output', folder],
    ['--output', folder],
  ]) {
    const refused = await restore(root, dest, 'web', ...words);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /exists already/);
  }
  assert.deepEqual(readdirSync(folder), ['web Größe, eins.qcow2']);
  addMachine(root, cfg);
  const taken = await restore(root, dest, 'web', '--output', join(root.dir, 'other'));
  assert.equal(taken.code, 6, taken.stderr);
  const unknown = await restore(root, dest, 'web', '--disk', 'DSK3');
  assert.match(unknown.stderr, /has no DSK3/);
});

test('firmware variables and TPM state come back', async (t) => {
  const root = tempRoot(t);
  const dest = join(root.dir, 'b');
  makeChain(dest, WRITES.slice(0, 1), { firmware: 'variables', tpm: 'state', cfg: 'RAM=32M\nFIRMWARE=uefi\n' });
  const result = await restore(root, dest, 'web');
  assert.equal(result.code, 0, result.stderr);
  const state = join(root.stateDir, 'web');
  const names = readdirSync(state);
  assert.equal(readFileSync(join(state, 'tpm/tpm2-00.permall'), 'utf8'), 'state');
  const store = names.find((name) => name.startsWith('vars')) ?? '';
  assert.equal(readFileSync(join(state, store), 'utf8'), 'variables');
  assert.deepEqual(names.toSorted(), ['tpm', store].toSorted());
});

test('a damaged backup, or one that others can write to, is refused and nothing is changed', NEEDS_ROOT, async (t) => {
  const root = tempRoot(t);
  const { dest, points, cfg } = withMachine(root);
  addMachine(root, cfg);
  const image = join(root.etcDir, 'web Größe, eins.qcow2');
  const before = readFileSync(image);
  const refused = async (says: RegExp, ...words: string[]): Promise<void> => {
    const result = await restore(root, dest, ...words);
    assert.ok(result.code !== 0);
    assert.match(result.stderr, says);
    assert.deepEqual(readFileSync(image), before);
    assert.deepEqual(hidden(root.etcDir), []);
  };
  const folder = join(dest, 'web', points[0] ?? '');
  execFileSync('truncate', ['-s', '-512', join(folder, 'dsk1.qcow2')]);
  await refused(/bytes, not/, 'web');
  execFileSync('truncate', ['-s', '+512', join(folder, 'dsk1.qcow2')]);
  // A disk that loses bits keeps the length of the file; what the first disk rests on is read as well.
  const cleanup = rot(join(folder, 'dsk1.qcow2'));
  await refused(/dsk1\.qcow2" has changed since the backup[\s\S]*backup verify/, 'web');
  await refused(/has changed since the backup/, 'web', '--as', 'copy');
  await refused(/has changed since the backup/, 'web', '--disk', 'DSK1', '--output', join(root.dir, 'out'));
  assert.deepEqual(readdirSync(join(root.dir, 'out')), []);
  cleanup();
  writeFileSync(join(folder, 'web-qemu.cfg'), cfg.replace('RAM', 'PRECMD=touch /tmp/x\nRAM'));
  await refused(/has changed since the backup/, `web@${points[0]}`);
  execFileSync('chmod', ['o+w', join(dest, 'web')]);
  await refused(/Cannot trust/, 'web');
  execFileSync('chmod', ['o-w', join(dest, 'web')]);
  // A captured QEMU lets its image lead to a file of root.
  const secret = root.write('secret', 'secret');
  renameSync(image, `${image}.old`);
  symlinkSync(secret, image);
  execFileSync('chown', ['-h', '12345', image]);
  const result = await restore(root, dest, 'web');
  assert.equal(result.code, 4, result.stderr);
  assert.equal(readFileSync(secret, 'utf8'), 'secret');
});

test('a full file system, and Ctrl-C, leave everything as it was', NEEDS_ROOT, async (t) => {
  const root = tempRoot(t);
  const { dest, cfg } = withMachine(root);
  addMachine(root, cfg);
  const before = readFileSync(join(root.etcDir, 'web Größe, eins.qcow2'));
  const small = join(root.dir, 'small');
  mkdirSync(small);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4M,mode=755', 'tmpfs', small]);
  try {
    const full = await restore(root, dest, 'web', '--as', 'copy', '--output', small);
    assert.equal(full.code, 1);
    assert.match(full.stderr, /No space left on device|free some space/);
    assert.deepEqual(readdirSync(small), []);
    assert.ok(!existsSync(join(root.stateDir, 'copy')));
  } finally {
    execFileSync('umount', [small]);
  }
  const call = spawnCli('qemu-init', ['restore', dest, 'web'], { root: root.dir });
  await untilPart(root, call);
  call.child.kill('SIGINT');
  const { code } = await call.result;
  if (code === 130) {
    assert.deepEqual(readFileSync(join(root.etcDir, 'web Größe, eins.qcow2')), before);
    assert.deepEqual(hidden(root.etcDir), []);
  }
});

test('killed at any moment, either all old files are left or all new ones, as the next command decides', async (t) => {
  const root = tempRoot(t);
  const { dest, points, cfg } = withMachine(root);
  const paths = ['web Größe, eins.qcow2', 'web-data.img'].map((name) => join(root.etcDir, name));
  const formats = ['qcow2', 'raw'];
  const contents = (): string[] => paths.map((path, index) => disk(path, formats[index] ?? ''));
  const wanted = [1, 2].map((index) => contentOf(dest, points[1] ?? '', { disk: index }));
  addMachine(root, cfg);
  const old = contents();
  for (let moment = 0; moment < MOMENTS; moment += 1) {
    const delayMs = (120 * moment) / MOMENTS;
    addMachine(root, cfg);
    const call = spawnCli('qemu-init', ['restore', dest, 'web'], { root: root.dir });
    await untilPart(root, call);
    setTimeout(() => call.child.kill('SIGKILL'), delayMs);
    await call.result;
    const status = await runCli('qemu-init', ['status', 'web'], { root: root.dir });
    assert.equal(status.code, 3, status.stderr);
    const now = contents();
    assert.ok(
      [old, wanted].some((each) => each.join() === now.join()),
      `killed after ${delayMs} ms: ${now.join()}`,
    );
    assert.deepEqual(hidden(root.etcDir), [], `killed after ${delayMs} ms`);
  }
});

test('a restore to a new machine that is killed: doctor reports it, and a list removes what it made', async (t) => {
  const root = tempRoot(t);
  const { dest } = withMachine(root);
  const out = join(root.dir, 'out');
  const words = ['restore', dest, 'web', '--as', 'neu', '--output', out];
  const state = join(root.stateDir, 'neu');
  const run = (...more: string[]): Promise<CliResult> => runCli('qemu-init', more, { root: root.dir });
  const killed = await runCli('qemu-init', words, {
    root: root.dir,
    env: killingAt(`rename ${join(state, '.work.json')}`),
  });
  assert.equal(killed.signal, 'SIGKILL', killed.stderr);
  assert.ok(hidden(out).length > 0);
  assert.match(
    (await run('doctor')).stdout,
    /neu: .*interrupted: restoring web@.*\n.*takes room\n.*list removes what it left/,
  );
  assert.ok(hidden(out).length > 0, 'doctor changes nothing');
  assert.match((await run('list')).stderr, /neu: an earlier command was interrupted: restoring web@.*: it is undone/);
  assert.deepEqual([readdirSync(out), existsSync(state)], [[], false]);
  assert.doesNotMatch((await run('list')).stderr, /interrupted/);

  // When all is whole but the registration, only the same command knows how that was to be.
  const late = await runCli('qemu-init', words, { root: root.dir, env: killingAt('rename /proc/self/fd/') });
  assert.equal(late.signal, 'SIGKILL', late.stderr);
  assert.match((await run('list')).stderr, /neu: .*restoring web@.*; give the same command again/);
  const again = await run(...words);
  assert.equal(again.code, 0, again.stderr);
  assert.deepEqual(hidden(out), []);
  assert.doesNotMatch((await run('list')).stderr, /interrupted/);
});

/** Waits until the restore has begun to write. */
async function untilPart(root: TempRoot, call: ReturnType<typeof spawnCli>): Promise<void> {
  let isOver = false;
  void call.result.finally(() => {
    isOver = true;
  });
  while (!isOver && !hidden(root.etcDir).some((name) => name.endsWith('.part'))) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

test(
  'a machine of another user is restored from its own backups, in its sandbox, and starts',
  NEEDS_ROOT,
  async (t) => {
    const host = backupLab(t, 'RUNAS=nobody\nSANDBOX=on\nNETIF=managed\n');
    chmodSync(host.dir, 0o711);
    const image = join(host.etcDir, 'web.qcow2');
    execFileSync('chown', ['nobody', image]);
    chmodSync(image, 0o600);
    await host.ok('start', 'web');
    const contents: [point: string, content: Buffer][] = [];
    for (const pattern of [1, 2, 3]) {
      await host.poke(pattern, pattern * MIB, MIB);
      const { point } = await host.backUp();
      contents.push([String(point), host.content()]);
    }
    await host.ok('stop', 'web', '--force');
    for (const [point, content] of contents) {
      await host.ok('restore', host.dest, `web@${point}`);
      assert.equal(disk(image, 'qcow2'), createHash('sha256').update(content).digest('hex'), point);
      assert.equal(execFileSync('stat', ['-c', '%U %a', image], { encoding: 'utf8' }), 'nobody 600\n');
    }
    await host.ok('start', 'web');
    // The guest has gone back: the bitmap of the last point is not in this image.
    const next = await host.backUp();
    assert.equal(next['kind'], 'full');
    assert.match(String(next['reason']), /bitmap/);
    await host.ok('backup', 'verify', host.dest);

    await host.ok('restore', host.dest, 'web', '--as', 'copy');
    const copy = join(host.etcDir, 'copy.qcow2');
    assert.equal(execFileSync('stat', ['-c', '%U %a', copy], { encoding: 'utf8' }), 'nobody 600\n');
    await host.ok('start', 'copy');
  },
);
