import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { debian13Qemu } from '../support/debian-13-qemu.ts';
import { until } from '../support/lab.ts';
import { type MoveLab, moveLab } from '../support/move-lab.ts';
import { repoRoot } from '../support/repo.ts';
import { findSshd, sshHosts } from '../support/ssh-host.ts';
import { tempDir } from '../support/temp-root.ts';
import { checkRecords } from '../support/writer-guest.ts';
import { enterOwnNamespace } from './own-namespace.ts';

findSshd();
const { program, obstacle } = debian13Qemu();
await enterOwnNamespace();

const { hosts } = sshHosts(test, 2);

/** On a host that is busy; for waits that end with what they wait for. */
const LONG_MS = 240_000;

/** A guest that writes on the QEMU of this host, and another host that has the QEMU of Debian 13. */
async function twoVersions(t: TestContext, newer: string, cpu: string): Promise<MoveLab> {
  const bin = join(tempDir(t), 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'qemu-system-x86_64'), `#!/bin/sh\nexec ${newer} "$@"\n`, { mode: 0o755 });
  const path = [bin, join(repoRoot, 'bin'), dirname(process.execPath), process.env['PATH']].join(':');
  await hosts[0]?.serve();
  await hosts[1]?.serve(`SetEnv PATH=${path}`);
  const nameOf = (dir: string, at: number): string => `ssh://root@${hosts[at]?.address}${dir}`;
  const moves = moveLab(t, 'qemu-system-x86_64', nameOf, (at) => (at === 0 ? {} : { PATH: path }));
  const [one] = moves.places;
  const cfg = join(one.lab.etcDir, 'web-qemu.cfg');
  writeFileSync(cfg, readFileSync(cfg, 'utf8').replace('CPU=max', `CPU=${cpu}`));
  await one.lab.ok('start', 'web');
  await until('it writes', () => moves.written() > 3, LONG_MS);
  return moves;
}

async function endWhole(moves: MoveLab): Promise<void> {
  await moves.at().lab.ok('kill', 'web');
  const { last, wrong } = checkRecords(moves.disk);
  assert.ok(last >= moves.written());
  assert.deepEqual(wrong, []);
}

test('a guest on a board and a processor that both hosts have moves to a newer QEMU, and back', async (t) => {
  if (program === undefined) return t.skip(obstacle);
  const moves = await twoVersions(t, program, 'Nehalem');
  const [one, two] = moves.places;
  for (const [from, to] of [
    [one, two],
    [two, one],
  ] as const) {
    const { outcome, problems } = await from.lab.one('migrate', 'web', to.name, '--check');
    assert.deepEqual([outcome, problems], ['possible', []]);
    assert.equal((await from.lab.one('migrate', 'web', to.name))['outcome'], 'moved');
    moves.assertGone(from, 'after the move');
    await moves.writesOn();
  }
  await endWhole(moves);
});

test('a guest that knows more of its processor than the other host has is told so before anything is done', async (t) => {
  if (program === undefined) return t.skip(obstacle);
  const moves = await twoVersions(t, program, 'max');
  const [one, two] = moves.places;
  assert.equal((await one.lab.one('migrate', 'web', two.name))['outcome'], 'moved');
  await moves.writesOn();
  const { outcome, problems } = await two.lab.one('migrate', 'web', one.name, '--check');
  assert.equal(outcome, 'impossible');
  assert.match(
    JSON.stringify(problems),
    /^\["its hardware would differ: its processor would lose features \(CPUID [^"]*\)"\]$/,
  );
  const { code, stderr } = await two.lab.init('migrate', 'web', one.name);
  assert.equal(code, 1);
  assert.match(stderr, /would lose features/);
  moves.assertGone(one, 'after it was refused');
  await moves.writesOn();
  await endWhole(moves);
});

test('a guest on a board that the older QEMU does not have cannot go there', async (t) => {
  if (program === undefined) return t.skip(obstacle);
  const moves = await twoVersions(t, program, 'Nehalem');
  const [one, two] = moves.places;
  assert.equal((await one.lab.one('migrate', 'web', two.name))['outcome'], 'moved');
  // From the next start on it is on the board of this version.
  await two.lab.ok('stop', 'web', '--force');
  await two.lab.ok('start', 'web');
  const { outcome, problems } = await two.lab.one('migrate', 'web', one.name, '--check');
  assert.equal(outcome, 'impossible');
  assert.match(JSON.stringify(problems), /QEMU 7\.2\.\d+ does not have pc-q35-10\.0, which QEMU 10\.0\.\d+ made/);
  assert.equal(await two.lab.state('web'), 'running');
  await endWhole(moves);
});
