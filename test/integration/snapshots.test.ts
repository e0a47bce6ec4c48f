import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Progress } from '../../src/base/progress.ts';
import { Fleet } from '../../src/index.ts';
import { readImageSnapshots } from '../../src/system/images/qcow2-snapshots.ts';
import { debian13Qemu } from '../support/debian-13-qemu.ts';
import { NO_QEMU_GA } from '../support/guest-agent.ts';
import { guestDisk } from '../support/guest-disk.ts';
import { type JsonObject, lab, until } from '../support/lab.ts';
import { GUEST_MS } from '../support/linux-guest.ts';
import { tempDir } from '../support/temp-root.ts';
import { checkRecords, lastWritten, writerDisk, writerGuest, writerMachine } from '../support/writer-guest.ts';

test('snapshots of a machine that runs: frozen, with memory; reverts go back to them, and no record is lost', {
  skip: NO_QEMU_GA,
}, async (t) => {
  const root = lab(t);
  root.ownPorts();
  const one = writerDisk(join(root.etcDir, 'one, ä.qcow2'));
  const two = writerDisk(join(root.etcDir, 'two.qcow2'));
  const guest = writerGuest(root.etcDir, { disks: 2, agent: true });
  root.add('web', `${writerMachine(guest)}QGA=on\nDSK1=one,, ä.qcow2\nDSK2=two.qcow2\n`);
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
  // The agent comes up last.
  await until(
    'the agent answers',
    async () => (await root.init('snapshot', 'create', 'web', 'x', '--quiesce', 'on')).code === 0,
    GUEST_MS,
  );
  await root.ok('snapshot', 'delete', 'web', 'x');

  const before = written();
  const cold = await root.one('snapshot', 'create', 'web', 'vor dem Umbau, ü', '--description', 'a, b');
  assert.deepEqual(
    { ...cold, seconds: 0, created: '' },
    {
      name: 'web',
      snapshot: 'vor dem Umbau, ü',
      created: '',
      memory: false,
      quiesced: true,
      whyNotQuiesced: null,
      external: false,
      disks: ['DSK1', 'DSK2'],
      skipped: [],
      seconds: 0,
    },
  );
  await goesOn();
  const atMemory = written();
  const warm = await root.one('snapshot', 'create', 'web', 'with-ram', '--memory');
  assert.deepEqual([warm['memory'], warm['quiesced']], [true, false]);
  await goesOn();
  const list = (await root.one('snapshot', 'list', 'web'))['snapshots'] as JsonObject[];
  assert.deepEqual(
    list.map(({ name, memory, quiesced, description, disks }) => [name, memory, quiesced, description, disks]),
    [
      ['vor dem Umbau, ü', false, true, 'a, b', ['DSK1', 'DSK2']],
      ['with-ram', true, false, null, ['DSK1', 'DSK2']],
    ],
  );
  assert.ok(Number(list[1]?.['sizeBytes']) > 1e6);

  // With memory: the same boot goes on from where it was.
  const boots = (): number => [...root.console('web').matchAll(/^boot /gm)].length;
  const sizeBefore = root.console('web').length;
  const warmBack = await root.one('snapshot', 'revert', 'web', 'with-ram');
  assert.deepEqual([warmBack['memory'], warmBack['state']], [true, 'running']);
  await until('it writes on', () => root.console('web').slice(sizeBefore).includes('wrote vda'), GUEST_MS);
  const first = Number(/^wrote vda (\d+)/m.exec(root.console('web').slice(sizeBefore))?.[1]);
  assert.ok(first >= atMemory[0], `${first} of ${atMemory[0]}`);
  assert.equal(boots(), 1);

  const coldBack = await root.one('snapshot', 'revert', 'web', 'vor dem Umbau, ü');
  assert.deepEqual([coldBack['memory'], coldBack['state']], [false, 'running']);
  await until('it boots again', () => boots() === 2, GUEST_MS);
  await root.ok('stop', 'web', '--force');
  // Frozen: nothing was left in the journal.
  for (const [at, file] of [one, two].entries()) {
    const records = checkRecords(file, { snapshot: 'vor dem Umbau, ü' });
    assert.deepEqual([records.wrong, records.isClean], [[], true]);
    assert.ok(records.last >= Number(before[at]), `${records.last} of ${before[at]}`);
    const atRam = checkRecords(file, { snapshot: 'with-ram' });
    assert.ok(atRam.wrong.length === 0 && atRam.last >= Number(atMemory[at]));
    assert.match(execFileSync('qemu-img', ['check', file], { encoding: 'utf8' }), /No errors/);
  }
});

describe('snapshots of a machine that does not run', () => {
  const make = (t: Parameters<typeof lab>[0], lines: string, files: readonly string[]) => {
    const root = lab(t);
    for (const file of files) {
      const format = file.endsWith('.img') ? 'raw' : 'qcow2';
      execFileSync('qemu-img', ['create', '-q', '-f', format, join(root.etcDir, file), '8M']);
    }
    root.add('web', lines);
    return root;
  };
  const write = (file: string, word: string): void => {
    execFileSync('qemu-io', ['-c', `write -P ${word} 0 64k`, file], { stdio: 'ignore' });
  };
  const reads = (file: string, word: string): boolean =>
    execFileSync('qemu-io', ['-r', '-c', `read -P ${word} 0 64k`, file], { encoding: 'utf8' }).includes('failed') ===
    false;

  test('go back to what the disks were, with bitmaps and all', async (t) => {
    const root = make(t, 'DSK1=one.qcow2\nDSK2=two.qcow2\n', ['one.qcow2', 'two.qcow2']);
    const [one, two] = [join(root.etcDir, 'one.qcow2'), join(root.etcDir, 'two.qcow2')];
    for (const file of [one, two]) write(file, '1');
    const made = await root.one('snapshot', 'create', 'web');
    const name = String(made['snapshot']);
    assert.match(name, /^\d{8}-\d{6}$/);
    for (const file of [one, two]) write(file, '2');
    execFileSync('qemu-img', ['bitmap', '--add', one, 'qi-1']);
    const back = await root.one('snapshot', 'revert', 'web', name);
    assert.deepEqual([back['state'], back['memory'], back['disks']], ['stopped', false, ['DSK1', 'DSK2']]);
    const shown = await root.run('qemu-init', ['snapshot', 'revert', 'web', name], { tty: true });
    assert.equal(shown.code, 0, shown.stdout);
    assert.match(shown.stdout, /web: reverting the disks/);
    assert.ok(reads(one, '1') && reads(two, '1'));
    const list = (await root.one('snapshot', 'list', 'web'))['snapshots'] as JsonObject[];
    assert.deepEqual(
      list.map((each) => each['name']),
      [name],
    );
    await root.ok('snapshot', 'delete', 'web', name);
    assert.deepEqual((await root.one('snapshot', 'list', 'web'))['snapshots'], []);
    assert.ok(!existsSync(join(root.stateDir, 'web/work.json')));
  });

  test('inside overlays go back too; those below an external one are listed, and not used before that is deleted', async (t) => {
    const root = make(t, 'STOPDELAY=1\nDSK1=top ä.qcow2\n', ['base.qcow2']);
    const top = join(root.etcDir, 'top ä.qcow2');
    execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', '-b', 'base.qcow2', '-F', 'qcow2', top]);
    write(top, '1');
    await root.ok('snapshot', 'create', 'web', 'below');
    write(top, '2');
    await root.ok('snapshot', 'create', 'web', 'outside 1', '--external');
    await root.ok('snapshot', 'create', 'web', 'inside');
    write(join(root.etcDir, 'top ä.outside 1.qcow2'), '3');
    const list = (await root.one('snapshot', 'list', 'web'))['snapshots'] as JsonObject[];
    assert.deepEqual(
      list.map(({ name, external, below }) => [name, external, below]),
      [
        ['below', false, 'outside 1'],
        ['outside 1', true, null],
        ['inside', false, null],
      ],
    );
    for (const verb of ['revert', 'delete']) {
      const { code, stderr } = await root.init('snapshot', verb, 'web', 'below');
      assert.equal(code, 1);
      assert.match(stderr, /external snapshot "outside 1".*\n.*qemu-init snapshot delete web 'outside 1'/);
    }
    assert.match((await root.init('snapshot', 'create', 'web', 'below')).stderr, /already has a snapshot "below"/);

    await root.ok('start', 'web');
    const reverted = await root.init('snapshot', 'revert', 'web', 'inside');
    assert.equal(reverted.code, 0, reverted.stderr);
    // That the revert ends the machine is no end of somebody else's work.
    assert.equal(reverted.stderr, '');
    await root.ok('stop', 'web', '--force');
    assert.ok(reads(join(root.etcDir, 'top ä.outside 1.qcow2'), '2'));
    await root.ok('snapshot', 'delete', 'web', 'inside');
    await root.ok('snapshot', 'delete', 'web', 'outside 1');
    await root.ok('snapshot', 'revert', 'web', 'below');
    assert.ok(reads(top, '1'));
    const [left, ...more] = (await root.one('snapshot', 'list', 'web'))['snapshots'] as JsonObject[];
    assert.deepEqual([left?.['name'], left?.['below'], more], ['below', null, []]);
  });

  test('whose revert fails leave the disks as they were, and say that the machine is stopped', async (t) => {
    const root = make(t, 'STOPDELAY=1\nDSK1=one.qcow2\nDSK2=two.qcow2\n', ['one.qcow2', 'two.qcow2']);
    const [one, two] = [join(root.etcDir, 'one.qcow2'), join(root.etcDir, 'two.qcow2')];
    for (const file of [one, two]) write(file, '1');
    await root.ok('snapshot', 'create', 'web', 'a');
    for (const file of [one, two]) write(file, '2');
    await root.ok('start', 'web');
    const bin = join(root.dir, 'bin');
    mkdirSync(bin);
    const real = execFileSync('which', ['qemu-img'], { encoding: 'utf8' }).trim();
    const wrapper = `#!/bin/sh\ncase "$*" in *'-a a '*two.qcow2*) echo no >&2; exit 1;; esac\nexec ${real} "$@"\n`;
    writeFileSync(join(bin, 'qemu-img'), wrapper, { mode: 0o755 });
    const env = { PATH: `${bin}:${process.env['PATH']}` };
    const { code, stderr } = await root.run('qemu-init', ['snapshot', 'revert', 'web', 'a'], { env });
    assert.equal(code, 1);
    assert.match(stderr, /the machine was stopped for it; to start it: qemu-init start web[\s\S]*Cannot revert DSK2/);
    assert.ok(reads(one, '2') && reads(two, '2'));
    const list = (await root.one('snapshot', 'list', 'web'))['snapshots'] as JsonObject[];
    assert.deepEqual(
      list.map(({ name }) => name),
      ['a'],
    );
  });

  test('hold 20 disks at one instant, and a disk that cannot be opened means none of them', async (t) => {
    const files = Array.from({ length: 20 }, (_, at) => `d${at + 1}.qcow2`);
    const root = make(t, files.map((file, at) => `DSK${at + 1}=${file}\n`).join(''), files);
    await root.ok('snapshot', 'create', 'web', 'all');
    const [all] = (await root.one('snapshot', 'list', 'web'))['snapshots'] as JsonObject[];
    assert.equal(String(all?.['disks']).split(',').length, 20);
    await root.ok('snapshot', 'revert', 'web', 'all');
    const lock = spawn('qemu-io', [join(root.etcDir, 'd20.qcow2')], { stdio: ['pipe', 'pipe', 'ignore'] });
    lock.stdin.write('write 0 512\n');
    await once(lock.stdout, 'data');
    assert.equal((await root.init('snapshot', 'create', 'web', 'next')).code, 1);
    lock.stdin.end('quit\n');
    await once(lock, 'exit');
    assert.deepEqual(((await root.one('snapshot', 'list', 'web'))['snapshots'] as JsonObject[]).length, 1);
  });

  test('are not left half reverted: a start ends the revert, or is refused', async (t) => {
    const root = make(t, 'DSK1=one.qcow2\nDSK2=two.qcow2\n', ['one.qcow2', 'two.qcow2']);
    const [one, two] = [join(root.etcDir, 'one.qcow2'), join(root.etcDir, 'two.qcow2')];
    for (const file of [one, two]) write(file, '1');
    await root.ok('snapshot', 'create', 'web', 'a');
    for (const file of [one, two]) write(file, '2');
    execFileSync('qemu-img', ['snapshot', '-a', 'a', one]);
    const tool = { pid: 1, startTime: 'x', bootId: 'x' };
    const work = {
      kind: 'snapshot-revert',
      what: 'reverting',
      startedAt: '',
      tool,
      data: { name: 'a', hasBegun: true },
    };
    writeFileSync(join(root.stateDir, 'web/work.json'), JSON.stringify(work));
    const lock = spawn('qemu-io', [two], { stdio: ['pipe', 'pipe', 'ignore'] });
    lock.stdin.write('read 0 512\n');
    await once(lock.stdout, 'data');
    assert.match((await root.init('start', 'web')).stderr, /interrupted and could not be ended: its disks may be/);
    lock.stdin.end('quit\n');
    await once(lock, 'exit');
    const started = await root.init('start', 'web');
    assert.equal(started.code, 0, started.stderr);
    assert.match(started.stderr, /was interrupted: reverting: it is finished now/);
    await root.ok('stop', 'web', '--force');
    assert.ok(reads(one, '1') && reads(two, '1'));
  });

  test('are refused in words for raw, read-only and temporary disks, bad names, and names that are taken', async (t) => {
    const root = make(t, 'DSK1=one.qcow2\nDSK2=two.img,format=raw\n', ['one.qcow2', 'two.img']);
    const fails = async (code: number, pattern: RegExp, ...args: string[]): Promise<void> => {
      const { stderr, code: status } = await root.init('snapshot', ...args);
      assert.equal(status, code, stderr);
      assert.match(stderr, pattern);
    };
    await fails(1, /DSK2 is raw.*--skip-raw/s, 'create', 'web');
    for (const bad of ['', '.x', 'a/b', 'a\nb', '17', 'x'.repeat(101)]) {
      await fails(2, /is not a name for a snapshot/, 'create', 'web', bad);
    }
    const { stderr } = await root.init('snapshot', 'create', 'web', 'a', '--skip-raw');
    assert.match(stderr, /not in the snapshot: DSK2/);
    await fails(1, /already has a snapshot "a"/, 'create', 'web', 'a', '--skip-raw');
    await fails(1, /has no snapshot "b".*snapshot list web/s, 'revert', 'web', 'b');
    await fails(1, /has no snapshot "b"/, 'delete', 'web', 'b');
    await fails(7, /is not running/, 'create', 'web', 'c', '--memory', '--skip-raw');
    const path = join(root.etcDir, 'web-qemu.cfg');
    const text = readFileSync(path, 'utf8');
    writeFileSync(
      path,
      text.replace('one.qcow2', 'one.qcow2,readonly=on').replace('format=raw', 'format=raw,snapshot=on'),
    );
    await fails(1, /DSK1 is read-only \(readonly=on\), DSK2 has snapshot=on/, 'create', 'web', 'd');
  });
});

test('a job of another program on one of the disks is named by whatever it is in the way of, and nothing changes', async (t) => {
  const root = lab(t);
  root.ownPorts();
  const [one, two] = ['one.qcow2', 'two.qcow2'].map((name) => join(root.etcDir, name)) as [string, string];
  for (const file of [one, two]) {
    execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', file, '64M']);
    execFileSync('qemu-io', ['-c', 'write -P 3 0 8M', file], { stdio: 'ignore' });
  }
  root.add('web', 'DSK1=one.qcow2\nDSK2=two.qcow2\n');
  mkdirSync(join(root.dir, 'backups'));
  await root.ok('start', 'web');
  await root.ok('snapshot', 'create', 'web', 'before');
  const job = { 'job-id': 'mine', device: 'dsk2', target: join(root.dir, 'x.qcow2'), sync: 'full', speed: 100_000 };
  await root.run('qemu-cmd', ['-q', JSON.stringify({ execute: 'drive-backup', arguments: job }), 'web']);
  for (const args of [
    ['snapshot', 'create', 'web', 'now'],
    ['snapshot', 'create', 'web', 'now', '--external'],
    ['snapshot', 'delete', 'web', 'before'],
    ['disk', 'mirror', 'web', 'DSK2', join(root.dir, 'new.qcow2')],
    ['backup', 'create', 'web', join(root.dir, 'backups')],
    ['clone', 'web', 'web2'],
  ]) {
    const { code, stderr } = await root.init(...args);
    assert.equal(code, 1, args.join(' '));
    assert.match(
      stderr,
      /[Jj]ob "mine" \(backup\) .*is running.*\n(.*\n)*.*hint: .*wait .* qemu-init jobs cancel web mine/,
      args.join(' '),
    );
  }
  assert.deepEqual(
    [one, two].map((file) => readImageSnapshots(file).map(({ name }) => name)),
    [['before'], ['before']],
  );
  assert.equal(existsSync(join(root.dir, 'new.qcow2')), false);
  assert.deepEqual(
    readdirSync(join(root.dir, 'backups')).flatMap((name) => readdirSync(join(root.dir, 'backups', name))),
    [],
  );
  await root.ok('jobs', 'cancel', 'web', 'mine');
  await root.ok('snapshot', 'delete', 'web', 'before');
});

const NEWER = debian13Qemu();

for (const [version, lines, skip] of [
  ['this QEMU, with UEFI and its variables', 'FIRMWARE=uefi\n', existsSync('/usr/share/OVMF') ? false : 'no OVMF'],
  ['the QEMU of Debian 13', `TGTARCH=${NEWER.program}\n`, NEWER.obstacle],
] as const) {
  test(`snapshots with and without memory, and reverts, on ${version}; none for other hardware`, {
    skip,
  }, async (t) => {
    const root = lab(t);
    root.ownPorts();
    const disk = guestDisk(root.etcDir, { name: 'web.raw' });
    const image = join(root.etcDir, 'web.qcow2');
    execFileSync('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', disk, image]);
    const path = root.add('web', `RAM=64M\nDSK1=web.qcow2\n${lines}`);
    const expected = lines.startsWith('FIRMWARE') ? ['DSK1', 'FIRMWARE'] : ['DSK1'];
    await root.ok('start', 'web');
    const cold = await root.one('snapshot', 'create', 'web', 'cold');
    assert.deepEqual([cold['disks'], cold['quiesced']], [expected, false]);
    const fleet = Fleet.open({ root: root.dir });
    const { snapshots: library } = fleet.machine(fleet.get('web'));
    const phases: Progress[] = [];
    const onProgress = (progress: Progress): void => void phases.push(progress);
    const warm = await library.create({ name: 'warm', memory: true, onProgress });
    assert.deepEqual(warm.disks, expected);
    assert.match(phases[0]?.phase ?? '', /^writing the memory/);
    assert.match((await root.init('snapshot', 'create', 'web', 'warm')).stderr, /already has a snapshot "warm"/);
    // A backup's bitmap, which means nothing after a revert.
    const bitmap = { node: 'dsk1-fmt', name: 'qi-1', persistent: true };
    await root.run('qemu-cmd', ['-q', JSON.stringify({ execute: 'block-dirty-bitmap-add', arguments: bitmap }), 'web']);
    const pid = (await root.one('status', 'web'))['pid'];
    phases.length = 0;
    assert.equal((await library.revert('warm', { onProgress })).memory, true);
    assert.equal(phases.at(-1)?.phase, 'loading the memory');
    assert.ok((phases.at(-1)?.total ?? 0) > 1e5);
    const after = await root.one('status', 'web');
    assert.deepEqual([after['pid'], after['state']], [pid, 'running']);
    // Who paused it wants it so.
    await root.ok('pause', 'web');
    const paused = await root.one('snapshot', 'revert', 'web', 'warm');
    assert.deepEqual([paused['memory'], paused['state'], await root.state('web')], [true, 'paused', 'paused']);
    await root.ok('resume', 'web');
    phases.length = 0;
    assert.equal((await library.revert('cold', { onProgress })).state, 'running');
    assert.deepEqual(
      ['ending QEMU', 'reverting DSK1', 'starting the machine'].filter((each) =>
        phases.some(({ phase }) => phase === each),
      ),
      ['ending QEMU', 'reverting DSK1', 'starting the machine'],
    );
    assert.notEqual((await root.one('status', 'web'))['pid'], pid);

    await root.ok('kill', 'web');
    writeFileSync(path, `${readFileSync(path, 'utf8')}NIC1=virtio-net-pci,net=user\n`);
    await root.ok('start', 'web');
    const refused = await root.init('snapshot', 'revert', 'web', 'warm');
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /other hardware than machine "web" has now: it runs with .*virtio-net-pci/);
    assert.equal(await root.state('web'), 'running');
    await root.ok('stop', 'web', '--force');
    assert.equal((await root.one('snapshot', 'revert', 'web', 'warm'))['state'], 'stopped');
    await root.ok('snapshot', 'delete', 'web', 'warm');
    const info: unknown = JSON.parse(execFileSync('qemu-img', ['info', '--output=json', image], { encoding: 'utf8' }));
    const { snapshots, 'format-specific': format } = info as {
      readonly snapshots: readonly { readonly name: string }[];
      readonly 'format-specific': { readonly data: { readonly bitmaps?: readonly unknown[] } };
    };
    assert.deepEqual([snapshots.map(({ name }) => name), format.data.bitmaps], [['cold'], undefined]);
  });
}

test('the table of snapshots in an image is read as QEMU writes it, and one that a captured QEMU made up is refused', (t) => {
  const image = join(tempDir(t), 'a.qcow2');
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', image, '1M']);
  assert.deepEqual(readImageSnapshots(image), []);
  for (const name of ['one', 'zwei, ü']) execFileSync('qemu-img', ['snapshot', '-c', name, image]);
  const found = readImageSnapshots(image);
  assert.deepEqual(
    found.map(({ id, name, memoryBytes }) => [id, name, memoryBytes]),
    [
      ['1', 'one', 0],
      ['2', 'zwei, ü', 0],
    ],
  );
  assert.ok(Math.abs(Date.parse(found[0]?.created ?? '') - Date.now()) < 60_000);
  const good = readFileSync(image);
  const offset = Number(good.readBigUInt64BE(64));
  const damage = (change: (bytes: Buffer) => void): void => {
    const bytes = Buffer.from(good);
    change(bytes);
    writeFileSync(image, bytes);
    assert.throws(() => readImageSnapshots(image), { code: 'QEMU_IO', message: /damaged/ });
  };
  damage((bytes) => bytes.writeUInt32BE(0xffffffff, 60));
  damage((bytes) => bytes.writeBigUInt64BE(2n ** 63n, 64));
  damage((bytes) => bytes.writeUInt32BE(0x7fffffff, offset + 36));
  damage((bytes) => bytes.writeUInt32BE(4000, 60));
});
