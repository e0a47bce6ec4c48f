import assert from 'node:assert/strict';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { enterOwnNamespace } from '../network/own-namespace.ts';
import { killVictim, receivers, sshOf, statesOf, VICTIMS, type Victim } from '../support/broken-move.ts';
import { stoppedThere, stoppingAt } from '../support/kill-before.ts';
import { until } from '../support/lab.ts';
import { type MoveLab, moveLab, whoRuns } from '../support/move-lab.ts';
import { findSshd, sshHosts } from '../support/ssh-host.ts';
import type { Cleanup } from '../support/temp-root.ts';
import { checkRecords } from '../support/writer-guest.ts';

findSshd();
await enterOwnNamespace();

const { hosts } = sshHosts(test, 2);
for (const host of hosts) await host.serve();

/** On a host that is busy; for waits that end with what they wait for. */
const LONG_MS = 240_000;

/** Two hosts that reach one another over ssh. The disk goes along, although both could see the first one. */
const sshLab = (t: Cleanup): MoveLab => moveLab(t, undefined, (dir, at) => `ssh://root@${hosts[at]?.address}${dir}`);

/** Steps of the tool at the source, right before which something is killed. */
const STEPS = {
  receive: 'send {"do":"receive"',
  nbd: '"driver":"nbd"',
  mirror: '"execute":"blockdev-mirror"',
  migrate: '"execute":"migrate",',
  switching: 'send {"do":"switching"',
  cancel: '"execute":"block-job-cancel"',
  continue: '"execute":"migrate-continue"',
  disks: 'send {"do":"disks"',
  'handed-over': 'text "phase": "handed-over"',
  release: 'send {"do":"release"',
  finish: 'send {"do":"finish"',
} as const;

type Step = keyof typeof STEPS;

const CASES: readonly (readonly [Step, Victim])[] = [
  ['mirror', 'destination'],
  ['mirror', 'cable'],
  ['migrate', 'source'],
  ['cancel', 'receiver'],
  ['continue', 'cable'],
  ['disks', 'tool'],
  ['release', 'ssh'],
];

/** All of them, which takes half an hour, and twice that on a busy host: `QEMU_INIT_ALL_MOVES=1`. */
const ALL: typeof CASES = Object.keys(STEPS).flatMap((step) =>
  VICTIMS.map((victim): readonly [Step, Victim] => [step as Step, victim]),
);

function connect(on: boolean): void {
  for (const host of hosts) host.connect(on);
}

test('whatever is killed or cut while a guest and its disk move over ssh, one host has both, and nothing is left', async (t) => {
  const moves = sshLab(t);
  await moves.places[0].lab.ok('start', 'web');
  await until('it writes', () => moves.written() > 3, LONG_MS);
  let { disk } = moves;
  const all = process.env['QEMU_INIT_ALL_MOVES'] === '1' ? ALL : CASES;
  for (const [at, [step, victim]] of all.entries()) {
    const about = `${at}: ${victim} before "${step}"`;
    const [from, to] = [moves.at(), moves.other()];
    const before = moves.written();
    const migrate = from.lab.spawn('qemu-init', ['migrate', 'web', to.name, '--copy-disks'], {
      env: stoppingAt(STEPS[step]),
      timeoutMs: LONG_MS,
    });
    const pid = await stoppedThere(migrate, LONG_MS);
    killVictim(victim, pid, from, to);
    if (victim === 'cable') connect(false);
    if (victim !== 'tool') process.kill(pid, 'SIGCONT');
    const { code, stderr } = await migrate.result;
    // Before that it is not there yet, and later its disk is.
    if (victim === 'destination' && step === 'mirror') {
      assert.match(stderr, /DSK1 could not be copied to the other place[\s\S]*QEMU there has ended/);
      assert.doesNotMatch(stderr, /cannot be told/, about);
    }
    const apart = await statesOf(moves);
    assert.ok(apart.filter((state) => state === 'running').length <= 1, `${about}: ${apart.join(', ')}`);
    connect(true);
    await until('the other end is over', () => receivers(to).length + sshOf(from).length === 0, LONG_MS);
    for (const { lab } of [from, to]) await lab.init('jobs', 'resume', 'web');
    const { runs, most } = await whoRuns(moves, about);
    t.diagnostic(
      `${about}: status ${code}, ${apart.join('/')}; it runs at the ${runs === to ? 'destination' : 'source'}; ${stderr.trim()}`,
    );
    const gone = runs === to ? from : to;
    moves.assertGone(gone, about);
    assert.match((await runs.lab.cmd('-q', 'query-jobs', 'web')).stdout, /\[\]/, about);
    assert.doesNotMatch((await runs.lab.cmd('-q', 'query-named-block-nodes', 'web')).stdout, /dsk\d-move/, about);
    if (runs === to) {
      // The old one stays, and would be in the way of the next move.
      rmSync(disk);
      rmSync(join(from.lab.etcDir, 'web-qemu.cfg.moved'));
      disk = join(to.lab.etcDir, 'web.qcow2');
    }
    assert.equal(existsSync(disk), true, about);
    assert.deepEqual(
      readdirSync(gone.lab.etcDir).filter((name) => /web/.test(name)),
      [],
      about,
    );
    assert.deepEqual(
      readdirSync(runs.lab.runDir).filter((name) => name.startsWith('.move')),
      [],
      about,
    );
    await moves.writesOn(most);
    assert.ok(moves.written() > before, about);
  }
  await moves.at().lab.ok('kill', 'web');
  const { last, wrong } = checkRecords(disk);
  assert.ok(last >= moves.written(), `${last} of ${moves.written()}`);
  assert.deepEqual(wrong, []);
});
