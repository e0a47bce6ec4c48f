import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { debian13Qemu } from '../support/debian-13-qemu.ts';
import { guestDisk } from '../support/guest-disk.ts';
import { type Lab, LIGHT, lab, until } from '../support/lab.ts';
import { moveLab, untilPhase, whoRuns } from '../support/move-lab.ts';
import { tempRoot } from '../support/temp-root.ts';
import { readFromTpm, writeToTpm } from '../support/tpm.ts';
import { checkRecords } from '../support/writer-guest.ts';

/** On a host that is busy; for waits that end with what they wait for. */
const LONG_MS = 240_000;
const PATIENT = { timeoutMs: LONG_MS };

test('a guest on QEMU 10 writes on while its memory is sent, also when that is interrupted, and loses nothing', async (t) => {
  const { program, obstacle } = debian13Qemu();
  if (program === undefined) return t.skip(obstacle);
  const moves = moveLab(t, program);
  const [one, two] = moves.places;
  await one.lab.ok('start', 'web');
  await until('it writes', () => moves.written() > 3, LONG_MS);
  const possible = await one.lab.one('migrate', 'web', two.name, '--check');
  assert.deepEqual([possible['outcome'], possible['problems']], ['possible', []]);
  const slow = one.lab.spawn('qemu-init', ['migrate', 'web', two.name, '--rate', '1M'], PATIENT);
  await untilPhase(two, 'memory', () => false);
  await moves.writesOn();
  slow.child.kill('SIGINT');
  assert.equal((await slow.result).code, 130, 'it writes while its memory is sent, which takes minutes');
  moves.assertGone(two, 'after it was interrupted');
  assert.equal((await one.lab.one('migrate', 'web', two.name))['outcome'], 'moved');
  moves.assertGone(one, 'after the move');
  assert.match(readFileSync(join(two.lab.etcDir, 'web-qemu.cfg'), 'utf8'), /^# its comment$/m);
  await moves.writesOn();
  await two.lab.ok('kill', 'web');
  const { last, wrong } = checkRecords(moves.disk);
  assert.ok(last >= moves.written());
  assert.deepEqual(wrong, []);
});

type Victim = 'tool' | 'source' | 'destination';

/** Where a move is killed: the side whose note is waited for, the phase, and what is killed then. */
const CASES: readonly (readonly [side: 'source' | 'destination', phase: string, victim: Victim])[] = [
  ['destination', 'memory', 'destination'],
  ['source', 'switching', 'tool'],
  ['source', 'handed-over', 'tool'],
  ['destination', 'released', 'tool'],
  ['source', 'handed-over', 'destination'],
];

/** More of them, which take minutes: `QEMU_INIT_ALL_MOVES=1`. */
const MORE: typeof CASES = (['source', 'destination'] as const).flatMap((side) =>
  (side === 'source' ? ['copying', 'switching', 'handed-over'] : ['copying', 'qemu', 'switching', 'released']).flatMap(
    (phase) => (['tool', 'source', 'destination'] as const).map((victim) => [side, phase, victim] as const),
  ),
);

test('whatever is killed at whatever step of a move, one side runs the guest, nothing is lost, and nothing is left', async (t) => {
  const moves = moveLab(t);
  const [one] = moves.places;
  await one.lab.ok('start', 'web');
  await until('it writes', () => moves.written() > 3, LONG_MS);
  const all = process.env['QEMU_INIT_ALL_MOVES'] === '1' ? [...CASES, ...MORE, ...MORE] : CASES;
  for (const [at, [side, phase, victim]] of all.entries()) {
    const about = `${at}: ${victim} killed when the ${side} is at "${phase}"`;
    const [from, to] = [moves.at(), moves.other()];
    const before = moves.written();
    const rate = phase === 'memory' ? ['--rate', '20M'] : [];
    const migrate = from.lab.spawn('qemu-init', ['migrate', 'web', to.name, ...rate], PATIENT);
    let isOver = false;
    const result = migrate.result.finally(() => {
      isOver = true;
    });
    await untilPhase(side === 'source' ? from : to, phase, () => isOver);
    if (victim === 'tool') migrate.child.kill('SIGKILL');
    else for (const pid of (victim === 'source' ? from : to).lab.qemus()) process.kill(pid, 'SIGKILL');
    const { code, stderr } = await result;
    const { runs, most } = await whoRuns(moves, about);
    t.diagnostic(`${about}: status ${code}; it runs at the ${runs === to ? 'destination' : 'source'} ${stderr.trim()}`);
    moves.assertGone(runs === to ? from : to, about);
    await moves.writesOn(most);
    assert.ok(moves.written() > before, about);
  }
  await moves.at().lab.ok('kill', 'web');
  const { last, wrong } = checkRecords(moves.disk);
  assert.ok(last >= moves.written(), `${last} of ${moves.written()}`);
  assert.deepEqual(wrong, []);
});

/** A machine that takes nothing, whose disk two roots can reach. */
function light(t: TestContext): {
  readonly one: Lab;
  readonly two: Lab;
  readonly there: string;
  readonly disk: string;
} {
  const [one, two] = [lab(t), lab(t)];
  for (const root of [one, two]) root.ownPorts();
  const disk = guestDisk(tempRoot(t).etcDir, { name: 'shared.img' });
  one.add('web', `DSK1=${disk}\n`);
  return { one, two, there: `root:${two.dir}`, disk };
}

const note = (root: Lab, text: string): void => {
  mkdirSync(join(root.stateDir, 'web'), { recursive: true });
  writeFileSync(join(root.stateDir, 'web/move.json'), text);
};

test('all that is in the way of a move is reported at once, and nothing is changed', async (t) => {
  const { one, two, there } = light(t);
  const cfg = join(one.etcDir, 'web-qemu.cfg');
  const text = readFileSync(cfg, 'utf8');
  assert.equal((await one.init('migrate', 'web', there)).code, 7);
  await one.ok('start', 'web');
  writeFileSync(
    cfg,
    `${text.replace('RAM=8M', 'RAM=16M')}NIC1=virtio-net-pci,net=bridge,bridge=nobr0\nRUNAS=nosuchuser\nNETIF=managed\n`,
  );
  two.write('etc/qemu/web-qemu.cfg', 'RAM=8M\n');
  const found = await one.one('migrate', 'web', there, '--check');
  assert.equal(found['outcome'], 'impossible');
  const problems = JSON.stringify(found['problems']);
  for (const each of [/web-qemu\.cfg\\" exists already/, /nosuchuser/]) assert.match(problems, each);
  const { code, stderr } = await one.init('migrate', 'web', there);
  assert.equal(code, 1);
  assert.match(stderr, /exists already.*nosuchuser|nosuchuser.*exists already/);
  rmSync(join(two.etcDir, 'web-qemu.cfg'));
  writeFileSync(cfg, text.replace('RAM=8M', 'RAM=16M'));
  assert.match(
    JSON.stringify((await one.one('migrate', 'web', there, '--check'))['problems']),
    /RAM is \\"16M\\" and was \\"8M\\"/,
  );
  assert.equal((await one.init('migrate', 'web', 'elsewhere')).code, 2);
  assert.equal((await one.init('migrate', 'web', `root:${one.dir}`)).code, 2);
  assert.match((await one.init('migrate', 'web')).stderr, /No destination was given/);
  assert.match((await one.init('migrate', 'web', there, '--downtime', '0')).stderr, /--downtime must be milliseconds/);
  // A name that is misspelt makes no folder.
  const nowhere = join(two.dir, 'nowhere');
  assert.match(
    JSON.stringify((await one.one('migrate', 'web', `root:${nowhere}`, '--check'))['problems']),
    /there is no folder/,
  );
  assert.match((await one.init('migrate', 'web', `root:${nowhere}`)).stderr, /there is no folder ".*nowhere"/);
  assert.equal(existsSync(nowhere), false);
  assert.deepEqual(two.leftovers(), []);
  assert.equal(await one.state('web'), 'running');
});

test('an image of [custom] has to be the same file there, also when the disks are copied', async (t) => {
  const { one, two, there } = light(t);
  const cfg = join(one.etcDir, 'web-qemu.cfg');
  const own = guestDisk(one.etcDir, { name: 'own.img' });
  guestDisk(two.etcDir, { name: 'own.img' });
  const text = readFileSync(cfg, 'utf8');
  // A relative path is another file at another place.
  writeFileSync(cfg, `${text}[custom]\n-drive file=own.img,format=raw,if=virtio\n`);
  await one.ok('start', 'web');
  for (const more of [[], ['--copy-disks']]) {
    const { problems } = await one.one('migrate', 'web', there, '--check', ...more);
    const expected = `image 1 of [custom], "${own}" is not the same file there: no move copies it; give it a DSKx line`;
    assert.deepEqual(problems, [expected]);
    assert.match((await one.init('migrate', 'web', there, ...more)).stderr, /image 1 of \[custom\]/);
  }
  assert.equal(await one.state('web'), 'running');
  await one.ok('kill', 'web');
  writeFileSync(cfg, `${text}[custom]\n-drive file=${own},format=raw,if=virtio\n`);
  await one.ok('start', 'web');
  assert.equal((await one.one('migrate', 'web', there))['outcome'], 'moved');
  assert.equal(await two.state('web'), 'running');
  await two.ok('kill', 'web');
});

test('what a guest keeps in its TPM and its firmware goes along, and what is known of its snapshots', async (t) => {
  const { one, two, there, disk } = light(t);
  one.write('etc/qemu/web-qemu.cfg', `${LIGHT}DSK1=${disk}\nTPM=on\nFIRMWARE=uefi\n`);
  const state = (root: Lab, name = ''): string => join(root.stateDir, 'web', name);
  await one.ok('start', 'web', '--paused');
  await one.ok('kill', 'web');
  await writeToTpm(state(one, 'tpm'), 'a secret');
  const [variables] = readdirSync(state(one)).filter((name) => name.startsWith('vars'));
  assert.ok(variables);
  execFileSync('qemu-io', ['-c', 'write -P 0x5a 0x80000 512', state(one, variables)]);
  execFileSync('qemu-img', ['snapshot', '-c', 'old', state(one, variables)]);
  await one.ok('start', 'web');
  const left = (await one.one('migrate', 'web', there, '--check'))['problems'];
  assert.deepEqual(left, ['the variables of its firmware are part of snapshots (old), and would be left behind']);
  await one.ok('kill', 'web');
  execFileSync('qemu-img', ['snapshot', '-d', 'old', state(one, variables)]);
  const notes = JSON.stringify([{ name: 'a', created: new Date().toISOString(), layers: [] }]);
  writeFileSync(state(one, 'snapshots.json'), notes);
  await one.ok('start', 'web');
  assert.equal((await one.one('migrate', 'web', there))['outcome'], 'moved');
  assert.deepEqual(readdirSync(state(one)), []);
  await two.ok('stop', 'web', '--force');
  assert.equal(await readFromTpm(state(two, 'tpm')), 'a secret');
  assert.match(
    execFileSync('qemu-io', ['-r', '-c', 'read -P 0x5a 0x80000 512', state(two, variables)], { encoding: 'utf8' }),
    /^read 512/,
  );
  assert.equal(readFileSync(state(two, 'snapshots.json'), 'utf8'), notes);
});

test('a guest that is paused stays so, and one whose machine stays registered starts there only for who knows', async (t) => {
  const { one, two, there } = light(t);
  await one.ok('start', 'web');
  await one.ok('pause', 'web');
  const moved = await one.one('migrate', 'web', there, '--keep-config');
  assert.deepEqual([moved['outcome'], moved['state'], moved['downtimeMs']], ['moved', 'paused', null]);
  const left = await one.one('status', 'web');
  assert.deepEqual([left['state'], Reflect.get(Object(left['move']), 'phase')], ['stopped', 'handed-over']);
  assert.equal(Reflect.get(Object(left['lastEnd']), 'cause'), 'moved');
  const refused = await one.init('start', 'web');
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /its guest has moved to root:.*[\s\S]*start --i-know web/);
  await two.ok('resume', 'web');
  // There and back: it is registered here all the time, and an interrupted return leaves that as it is.
  const back = two.spawn('qemu-init', ['migrate', 'web', `root:${one.dir}`, '--rate', '10K']);
  await until('it comes', () => existsSync(one.file('web', 'qemu/qmp.sock')));
  back.child.kill('SIGINT');
  assert.equal((await back.result).code, 130);
  assert.equal(await two.state('web'), 'running');
  assert.equal((await one.init('start', 'web')).code, 1);
  assert.deepEqual(one.leftovers(), []);
  assert.equal((await two.one('migrate', 'web', `root:${one.dir}`))['outcome'], 'moved');
  assert.equal(await one.state('web'), 'running');
  await one.ok('stop', 'web', '--force');
  await one.ok('start', 'web');
});

test('a guest that another place has not released is not let run by any command, and a damaged note lets nobody run', async (t) => {
  const { one } = light(t);
  await one.ok('start', 'web', '--paused');
  const since = new Date().toISOString();
  note(one, JSON.stringify({ id: 'x', role: 'destination', phase: 'switching', peer: 'ssh://other', since }));
  for (const words of [
    ['resume', 'web'],
    ['reset', 'web'],
    ['save', 'web'],
    ['stop', 'web'],
    ['start', 'web'],
  ]) {
    const { code, stderr } = await one.init(...words);
    assert.equal(code, 1, words.join(' '));
    assert.match(stderr, /its guest is coming from ssh:\/\/other since .*, which has not released it/);
  }
  for (const words of [
    ['-q', 'cont', 'web'],
    ['-q', 'system_reset', 'web'],
    ['-c', 'cont', 'web'],
    ['-c', 'c', 'web'],
  ]) {
    assert.match((await one.cmd(...words)).stderr, /has not released it/, words.join(' '));
  }
  assert.equal(await one.state('web'), 'prelaunch');
  assert.match((await one.init('status', 'web')).stderr, /its guest is coming from/);
  note(one, JSON.stringify({ id: 'x', role: 'source', phase: 'switching', peer: 'ssh://other', since }));
  for (const word of ['resume', 'reset']) {
    assert.match((await one.init(word, 'web')).stderr, /its guest is moving to ssh:\/\/other since/, word);
  }
  assert.match((await one.cmd('-q', 'cont', 'web')).stderr, /its guest is moving to ssh:/);
  note(one, JSON.stringify({ id: 'x', role: 'destination', phase: 'switching', peer: 'ssh://other', since }));
  // A shutdown of the host asks it to go down, for which it would have to run.
  await one.ok('stop', 'web', '--deadline', '10');
  assert.doesNotMatch(readFileSync(join(one.logDir, 'web.log'), 'utf8'), /reason=6/);
  note(one, '{ "role": "sou');
  assert.match((await one.init('start', 'web')).stderr, /the note of who owns its guest is damaged/);
  assert.equal((await one.one('status', 'web'))['move'], 'damaged');
  await one.ok('start', '--i-know', 'web');
  assert.equal(await one.state('web'), 'running');
  assert.equal((await one.one('status', 'web'))['move'], null);
});
