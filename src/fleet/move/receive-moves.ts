import type { Notice } from '../../machine/context.ts';
import type { Machines } from '../machines.ts';
import { moveIntoUnit } from '../service/services.ts';
import { MoveServer, type SourceLine } from './serve-moves.ts';

/** Takes in machines from another host. Each becomes the main process of its unit, where there is one. */
export async function receiveMoves(machines: Machines, line: SourceLine): Promise<void> {
  const server = new MoveServer(machines, line, (target, pid) => moveIntoUnit(machines.host, target, pid));
  await server.serve();
}

/** Passes on what the operations here report. */
export function sendNotice(send: SourceLine['send'], { level, machine, message }: Notice): void {
  if (level === 'warning' || level === 'info') send(JSON.stringify({ notice: { level, machine, message } }));
}
