import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { virtiofsdPath } from '../../src/machine/share/virtiofsd.ts';
import { findProgram } from '../../src/system/process/find-program.ts';
import { findProcesses } from '../../src/system/process/process.ts';
import { type Lab, lab, programsNaming, until } from '../support/lab.ts';
import type { Cleanup } from '../support/temp-root.ts';

const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;
const RIGHTS = isRoot ? 'RUNAS=nobody\nNETIF=managed\nSANDBOX=on\n' : '';
const skip =
  virtiofsdPath() === undefined || findProgram('swtpm') === undefined ? 'this host has no virtiofsd or swtpm' : false;

const MOMENTS = 10;
/** From one moment to the next. A start is over after some 300 ms on a host that has nothing else to do. */
const STEP_MS = 30;
/** The same on a host that has too much to do. */
const START_MS = 120_000;

interface KillLab extends Lab {
  /** Pids of the processes of one kind that belong to the machine. */
  readonly pidsOf: (victim: Victim) => number[];
}

type Victim = 'swtpm' | 'virtiofsd' | 'qemu';

function killLab(t: Cleanup): KillLab {
  const host = lab(t);
  chmodSync(host.dir, 0o711);
  const folder = join(host.dir, 'data');
  mkdirSync(folder);
  host.add('web', `${RIGHTS}TPM=on\nSHARE1=${folder}\n`);
  if (isRoot) for (const path of [folder, join(host.etcDir, 'web.img')]) chownSync(path, NOBODY, NOBODY);
  const patterns = { swtpm: /(?:^|\/)swtpm$/, virtiofsd: /\/virtiofsd$/, qemu: /(?:^|\/)qemu-system-x86_64$/ };
  const pidsOf = (victim: Victim): number[] =>
    findProcesses((argv) => patterns[victim].test(argv[0] ?? ''))
      .filter(({ pid }) => placesOf(pid).includes(host.dir))
      .map(({ pid }) => pid);
  return { ...host, pidsOf };
}

/** The command line of a process, and the folder that it works in. */
function placesOf(pid: number): string {
  try {
    return `${readFileSync(`/proc/${pid}/cmdline`, 'utf8')} ${readlinkSync(`/proc/${pid}/cwd`)}`;
  } catch {
    return '';
  }
}

/** The next start works, with all that belongs to it; and its end leaves nothing. */
async function assertStarts(host: KillLab, about: string): Promise<void> {
  const stopped = await host.init('stop', '--force', 'web');
  assert.equal(stopped.code, 0, `${about}: ${stopped.stderr}`);
  const started = await host.init('start', 'web');
  assert.equal(started.code, 0, `${about}: ${started.stderr}`);
  const { state, problems } = await host.one('status', 'web');
  assert.deepEqual([state, problems], ['running', []], about);
  assert.equal(host.pidsOf('qemu').length, 1, about);
  await host.ok('kill', 'web');
  await until(`nothing is left ${about}`, () => programsNaming(host.dir).length === 0);
  assert.deepEqual(host.leftovers(), [], about);
}

for (const victim of ['swtpm', 'virtiofsd', 'qemu'] as const) {
  test(`${victim} that is killed at ${MOMENTS} moments from its start on is in the way of no later start`, {
    skip,
  }, async (t) => {
    const host = killLab(t);
    for (let moment = 0; moment < MOMENTS; moment++) {
      const { result } = host.spawn('qemu-init', ['start', 'web']);
      await until(`${victim} is there`, () => host.pidsOf(victim).length > 0, START_MS);
      await sleep(moment * STEP_MS);
      for (const pid of host.pidsOf(victim)) process.kill(pid, 'SIGKILL');
      await result;
      await assertStarts(host, `at moment ${moment}`);
    }
  });
}

test(`a command that is killed at ${MOMENTS} moments of a start with helpers is in the way of no later start`, {
  skip,
}, async (t) => {
  const host = killLab(t);
  for (let moment = 0; moment < MOMENTS; moment++) {
    const { child, result } = host.spawn('qemu-init', ['start', 'web']);
    await until('it has begun', () => programsNaming(host.dir).length > 0, START_MS);
    await sleep(moment * STEP_MS);
    child.kill('SIGKILL');
    await result;
    await assertStarts(host, `at moment ${moment}`);
  }
});
