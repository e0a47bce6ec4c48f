import assert from 'node:assert/strict';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { debian13Qemu } from '../support/debian-13-qemu.ts';
import { killBefore } from '../support/kill-before.ts';
import { type Lab, lab, until } from '../support/lab.ts';
import { type Cleanup, tempRoot } from '../support/temp-root.ts';
import { checkRecords, lastWritten, writerDisk, writerGuest, writerMachine } from '../support/writer-guest.ts';

const LONG_MS = 240_000;
const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;

/** Two roots without a common disk, and a guest that writes to a qcow2 and to a raw one. */
interface Two {
  readonly one: Lab;
  readonly two: Lab;
  readonly there: string;
  /** Number of the last record on a disk that the guest has reported, at whichever place. */
  written(disk?: string): number;
  writesOn(most?: number): Promise<void>;
  boots(): number;
}

function twoRoots(t: Cleanup, program?: string): Two {
  const [one, two] = [lab(t), lab(t)];
  for (const root of [one, two]) {
    root.ownPorts();
    // What is sent can be seen then.
    appendFileSync(join(root.etcDir, 'monitor.conf'), 'TLS=off\n');
    chmodSync(root.dir, 0o711);
    chmodSync(root.etcDir, 0o711);
  }
  const shared = tempRoot(t);
  chmodSync(shared.dir, 0o711);
  chmodSync(shared.etcDir, 0o711);
  const guest = writerGuest(shared.etcDir, { disks: 2 });
  const kernel = join(shared.etcDir, 'kernel');
  copyFileSync(guest.kernel, kernel);
  const disks = [
    writerDisk(join(one.etcDir, 'a.qcow2'), { size: '256M' }),
    writerDisk(join(one.etcDir, 'b.img'), { size: '256M', format: 'raw' }),
  ];
  if (isRoot) for (const disk of disks) chownSync(disk, NOBODY, NOBODY);
  const own =
    program === undefined ? (isRoot ? 'RUNAS=nobody\nSANDBOX=on\nNETIF=managed\n' : '') : `TGTARCH=${program}\n`;
  one.add('web', `# its comment\n${writerMachine({ ...guest, kernel })}DSK1=a.qcow2\nDSK2="b.img,format=raw"\n${own}`);
  const texts = (): string =>
    [one, two].map((root) => (existsSync(join(root.logDir, 'web.console')) ? root.console('web') : '')).join('\n');
  const written = (disk = 'vda'): number =>
    Math.max(
      ...[one, two].map((root) =>
        existsSync(join(root.logDir, 'web.console')) ? lastWritten(root.console('web'), disk) : -1,
      ),
    );
  const boots = (): number => [...texts().matchAll(/^boot /gm)].length;
  return {
    one,
    two,
    there: `root:${two.dir}`,
    written,
    boots,
    async writesOn(most = 1) {
      const before = [written('vda'), written('vdb')];
      await until(
        'it writes on',
        () => written('vda') > (before[0] ?? 0) + 1 && written('vdb') > (before[1] ?? 0) + 1,
        LONG_MS,
      );
      assert.ok(boots() <= most, `it has booted ${boots()} times`);
    },
  };
}

/** Fails when anything of an interrupted move is left at the other place. */
function assertNothing(root: Lab, about: string): void {
  assert.deepEqual(root.leftovers(), [], about);
  assert.equal(existsSync(join(root.stateDir, 'web')), false, about);
  const left = readdirSync(root.etcDir).filter((name) => name.includes('web'));
  assert.deepEqual(left, [], about);
}

function checkDisks(folder: string, names: readonly [string, string], { written }: Two): void {
  const [qcow2, raw] = names;
  for (const [name, format, disk] of [
    [qcow2, 'qcow2', 'vda'],
    [raw, 'raw', 'vdb'],
  ] as const) {
    const { last, wrong } = checkRecords(join(folder, name), { format });
    assert.ok(last >= written(disk), `${name}: ${last} of ${written(disk)}`);
    assert.deepEqual(wrong, []);
  }
}

for (const isNew of [false, true]) {
  test(`a guest takes its disks along, a qcow2 and a raw one, on ${isNew ? 'QEMU 10' : 'the QEMU of this host'}`, async (t) => {
    const { program, obstacle } = isNew ? debian13Qemu() : { program: undefined, obstacle: undefined };
    if (isNew && program === undefined) return t.skip(obstacle);
    const roots = twoRoots(t, program);
    const { one, two, there, written, writesOn } = roots;
    await one.ok('start', 'web');
    await until('it writes', () => written('vda') > 3 && written('vdb') > 3, LONG_MS);
    assert.match(JSON.stringify((await one.one('migrate', 'web', there, '--check'))['problems']), /^\[\]$/);
    const slow = one.spawn('qemu-init', ['migrate', 'web', there, '--copy-disks', '--rate', '1M'], {
      timeoutMs: LONG_MS,
    });
    await until('it copies', () => existsSync(two.file('web', 'qemu/disks.sock')), LONG_MS);
    await writesOn();
    slow.child.kill('SIGINT');
    assert.equal((await slow.result).code, 130);
    assertNothing(two, 'after it was interrupted');
    await writesOn();
    const jobs = await one.cmd('-q', 'query-jobs', 'web');
    assert.match(jobs.stdout, /\[\]/);
    const { code, stdout, stderr } = await one.init('migrate', 'web', there, '--copy-disks');
    t.diagnostic(stdout + stderr);
    assert.equal(code, 0);
    await writesOn();
    assert.match(stderr, /its old disks stay here, and can be removed: .*a\.qcow2.*b\.img/);
    const cfg = readFileSync(join(two.etcDir, 'web-qemu.cfg'), 'utf8');
    assert.match(cfg, /^# its comment$/m);
    assert.match(cfg, /^DSK1="?web\.qcow2/m);
    assert.match(cfg, /^DSK2="?web-2\.img/m);
    assert.deepEqual(one.leftovers(), []);
    assert.ok(existsSync(join(one.etcDir, 'a.qcow2')));
    await two.ok('kill', 'web');
    checkDisks(two.etcDir, ['web.qcow2', 'web-2.img'], roots);
    assert.equal(statSync(join(two.etcDir, 'web.qcow2')).uid, isRoot && !isNew ? NOBODY : (process.getuid?.() ?? 0));
  });
}

/** Steps of the command, each of which it is killed before. */
const STEPS = [
  'nbd-server-start',
  'blockdev-mirror',
  '"execute":"migrate"',
  'block-job-cancel',
  'migrate-continue',
  'nbd-server-stop',
  'text handed-over',
  'text "released"',
  '"execute":"cont"',
];

/** What else is killed: which QEMU, and when. */
const KILLS: readonly (readonly [victim: 'source' | 'destination', phase: 'disks' | 'switching' | 'handed-over'])[] = [
  ['destination', 'disks'],
  ['source', 'disks'],
  ['destination', 'switching'],
  ['source', 'switching'],
  ['destination', 'handed-over'],
];

test('whatever is killed at whatever step, one place has the guest and all its disks, and nothing is left', async (t) => {
  const roots = twoRoots(t);
  const { one, two, written, writesOn, boots } = roots;
  await one.ok('start', 'web');
  await until('it writes', () => written('vda') > 3 && written('vdb') > 3, LONG_MS);
  let [from, to] = [one, two];
  const disks: Record<string, readonly [string, string]> = { [one.dir]: ['a.qcow2', 'b.img'] };
  const settled = async (about: string): Promise<void> => {
    const most = boots() + 1;
    const running: Lab[] = [];
    for (const root of [from, to]) if ((await root.state('web')) === 'running') running.push(root);
    if (running.length === 0) {
      for (const root of [from, to]) if ((await root.init('start', 'web')).code === 0) running.push(root);
    }
    assert.equal(running.length, 1, `${about}: it runs at ${running.length} places`);
    const [at] = running;
    assert.ok(at);
    if (at === to) {
      // The old ones stay.
      for (const name of disks[from.dir] ?? []) rmSync(join(from.etcDir, name));
      rmSync(join(from.etcDir, 'web-qemu.cfg.moved'));
      disks[to.dir] = ['web.qcow2', 'web-2.img'];
      [from, to] = [to, from];
    }
    assert.deepEqual(to.leftovers(), [], about);
    const names = readdirSync(to.etcDir).filter((name) => /web/.test(name));
    assert.deepEqual(names, [], about);
    assert.deepEqual(
      existsSync(join(to.stateDir, 'web'))
        ? readdirSync(join(to.stateDir, 'web')).filter((name) => name !== 'crash')
        : [],
      [],
      about,
    );
    await writesOn(most);
    assert.match((await from.cmd('-q', 'query-jobs', 'web')).stdout, /\[\]/, about);
    assert.doesNotMatch((await from.cmd('-q', 'query-named-block-nodes', 'web')).stdout, /dsk\d-move/, about);
    t.diagnostic(`${about}: it runs ${at === from ? 'there' : 'here'}`);
  };
  for (const step of STEPS) {
    await killBefore(from, step, ['migrate', 'web', `root:${to.dir}`, '--copy-disks']);
    await settled(step);
  }
  for (const [victim, phase] of KILLS) {
    const about = `${victim} at ${phase}`;
    const rate = phase === 'disks' ? ['--rate', '4M'] : [];
    const { result } = from.spawn('qemu-init', ['migrate', 'web', `root:${to.dir}`, '--copy-disks', ...rate], {
      timeoutMs: LONG_MS,
    });
    let isOver = false;
    void result.finally(() => {
      isOver = true;
    });
    await until(about, () => isOver || isAt(from, to, phase), LONG_MS);
    for (const pid of (victim === 'source' ? from : to).qemus()) process.kill(pid, 'SIGKILL');
    const { code, stderr } = await result;
    t.diagnostic(`${about}: status ${code} ${stderr.trim()}`);
    await settled(about);
  }
  await from.ok('kill', 'web');
  checkDisks(from.etcDir, disks[from.dir] ?? ['', ''], roots);
});

function isAt(from: Lab, to: Lab, phase: string): boolean {
  if (phase === 'disks') return existsSync(to.file('web', 'qemu/disks.sock'));
  try {
    return readFileSync(join(from.stateDir, 'web/move.json'), 'utf8').includes(`"phase": "${phase}"`);
  } catch {
    return false;
  }
}

test('what is in the way of new images is reported before anything is made', async (t) => {
  const [one, two] = [lab(t), lab(t)];
  for (const root of [one, two]) root.ownPorts();
  one.add('web', 'DSK2="other.img,readonly=on"\n');
  copyFileSync(join(one.etcDir, 'web.img'), join(one.etcDir, 'other.img'));
  two.write('etc/qemu/web.img', 'mine');
  await one.ok('start', 'web');
  const there = `root:${two.dir}`;
  const { stderr } = await one.init('migrate', 'web', there, '--copy-disks');
  assert.match(stderr, /DSK2 cannot be copied: it is readonly/);
  assert.match(stderr, /web\.img" exists already/);
  const plain = JSON.stringify((await one.one('migrate', 'web', there, '--check', '--copy-disks'))['problems']);
  assert.match(plain, /exists already/);
  assert.equal(readFileSync(join(two.etcDir, 'web.img'), 'utf8'), 'mine');
  assert.deepEqual(two.leftovers(), []);
  assert.equal(await one.state('web'), 'running');
});
