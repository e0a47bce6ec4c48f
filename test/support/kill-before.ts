import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunningCli } from './cli.ts';
import { type Lab, until } from './lab.ts';
import { repoRoot } from './repo.ts';

/**
 * Has a command kill itself right before a step.
 *
 * @param step part of `rename OLD NEW`, `write FILE TEXT` or `send TEXT`, the first of which is it; or `text PART`, with part
 * of what is in a file that gets its name.
 */
export async function killBefore(root: Lab, step: string, args: readonly string[]): Promise<void> {
  const { signal, stderr } = await root.run('qemu-init', args, { env: killingAt(step) });
  assert.equal(signal, 'SIGKILL', `${step}: ${stderr}`);
}

/** The environment of a command that only stops right before a step, until it gets SIGCONT. */
export function stoppingAt(step: string): Record<string, string> {
  return { ...killingAt(step), KILL_WITH: 'SIGSTOP' };
}

/** Waits until a command that {@link stoppingAt} applies to has stopped there. Returns its process id. */
export async function stoppedThere({ child, stdout, stderr }: RunningCli, timeoutMs = 60_000): Promise<number> {
  const { pid = 0 } = child;
  await until('the command has stopped', () => isStopped(pid) || child.exitCode !== null, timeoutMs);
  assert.equal(child.exitCode, null, `It did not stop: ${stdout()}${stderr()}`);
  return pid;
}

/** The environment for that. */
export function killingAt(step: string): Record<string, string> {
  return { NODE_OPTIONS: `--require ${join(repoRoot, 'test/support/kill-at.cjs')}`, KILL_AT: step };
}

/** Whether a process stands still because of a signal. */
const isStopped = (pid: number): boolean => {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') T ');
  } catch {
    return false;
  }
};
