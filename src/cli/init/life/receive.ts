import { MachineManager } from '../../../fleet/machine-manager.ts';
import { receiveMoves, sendNotice } from '../../../fleet/move/receive-moves.ts';
import { LineQueue } from '../../../system/process/line-queue.ts';
import type { Context } from '../../run/context.ts';

/** What `migrate` starts on the host that a machine moves to; speaks JSON lines on standard input and output. */
export async function run({ paths, signal }: Context): Promise<number> {
  const send = (text: string): void => void process.stdout.write(`${text}\n`);
  const { machines } = new MachineManager(paths, (notice) => sendNotice(send, notice));
  await receiveMoves(machines, { lines: new LineQueue(process.stdin), send, signal });
  process.stdin.destroy();
  return 0;
}
