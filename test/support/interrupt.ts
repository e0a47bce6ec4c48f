import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Lab, until } from './lab.ts';

/** How many times a command is killed; `MOMENTS=20` in the environment takes some minutes for each file of such tests. */
export const MOMENTS = Number(process.env['MOMENTS'] ?? 6);

/** Ends a command at a moment. Returns whether that came in time. */
export async function interrupt(
  root: Lab,
  signal: NodeJS.Signals,
  delayMs: number,
  words: readonly string[],
): Promise<boolean> {
  const command = root.spawn('qemu-init', words);
  await once(command.child, 'spawn');
  await sleep(delayMs);
  command.child.kill(signal);
  const { code } = await command.result;
  return code !== 0;
}

/**
 * Has the next command set right what is left of work on the disks of the machine `web`; others follow when that goes on.
 * Returns what they said.
 */
export async function settleWork(root: Lab, words: readonly string[] = ['list']): Promise<string> {
  const said: string[] = [];
  const work = join(root.stateDir, 'web/work.json');
  const isOver = async (): Promise<boolean> => {
    const { code, stderr } = await root.init(...words);
    said.push(`${words.join(' ')}: ${code} ${stderr}`);
    // A copy that goes on inside QEMU is the user's to end.
    if (stderr.includes('to go on with it: qemu-init jobs resume web')) await root.init('jobs', 'resume', 'web');
    return !existsSync(work);
  };
  try {
    await until('the next command has set it right', isOver);
  } catch (cause) {
    throw new Error(`${said.slice(-3).join('')}\n${readFileSync(work, 'utf8')}`, { cause });
  }
  return said.join('\n');
}

/** How long something takes, in milliseconds. */
export async function timed(body: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await body();
  return performance.now() - began;
}
