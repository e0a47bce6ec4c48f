/** What can end in the middle of a move over ssh, and who is where then. */
import { readFileSync } from 'node:fs';
import { programsNaming } from './lab.ts';
import type { MoveLab, Place } from './move-lab.ts';

export const VICTIMS = ['tool', 'receiver', 'ssh', 'source', 'destination', 'cable'] as const;
export type Victim = (typeof VICTIMS)[number];

function pidsOf(dir: string, word: string): number[] {
  return programsNaming(dir).flatMap((line) => {
    const [pid = '', ...words] = line.split(' ');
    return words.join(' ').includes(word) ? [Number.parseInt(pid, 10)] : [];
  });
}

/** Processes of the other end of a move. */
export const receivers = ({ lab }: Place): number[] => pidsOf(lab.dir, ' receive --root ').filter(isNode);

function isNode(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[0]?.endsWith('node') === true;
  } catch {
    return false;
  }
}

/** Processes of ssh that a place has started. */
export const sshOf = ({ lab }: Place): number[] => pidsOf(lab.runDir, 'BatchMode=yes');

/** Kills all processes of that kind; nothing when it is the cable that is cut. */
export function killVictim(victim: Victim, tool: number, from: Place, to: Place): void {
  const pids = {
    tool: () => [tool],
    receiver: () => receivers(to),
    ssh: () => sshOf(from),
    source: () => from.lab.qemus(),
    destination: () => to.lab.qemus(),
    cable: () => [],
  }[victim]();
  for (const pid of pids) process.kill(pid, 'SIGKILL');
}

/** What the notes say: at most one of the places may run the guest, at any time. */
export async function statesOf({ places }: MoveLab): Promise<unknown[]> {
  const states = [];
  for (const { lab } of places) states.push(await lab.state('web'));
  return states;
}
