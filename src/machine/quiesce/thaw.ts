import { QemuError } from '../../base/errors.ts';
import type { AgentClient } from '../../qmp/agent/agent-client.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { openAgent } from '../control/open-agent.ts';
import { readFrozenMark, removeFrozenMark } from './frozen-mark.ts';

/** A thaw takes 0.3 s in an emulated guest. */
const THAW_MS = 5_000;

/**
 * Thaws the guest and removes the mark. When no agent confirms it, the mark stays for the next command, and a warning
 * says so.
 *
 * @param agent a session that is open already; when it fails, a new one is tried.
 * @returns how many file systems were frozen; undefined when that is not known.
 */
export async function thawGuest(
  host: MachineContext,
  target: MachineRef,
  agent?: AgentClient,
  timeoutMs = THAW_MS,
): Promise<number | undefined> {
  try {
    const count = await thawBy(target, agent, timeoutMs);
    removeFrozenMark(target.files);
    return count;
  } catch (error) {
    if (!(error instanceof QemuError)) throw error;
    const message = `its file systems may still be frozen (${error.message}): the next command thaws them, or: qemu-init status ${target.longName}`;
    host.notify({ level: 'warning', machine: target.longName, message });
    return undefined;
  }
}

async function thawBy({ files }: MachineRef, agent: AgentClient | undefined, timeoutMs: number): Promise<number> {
  try {
    if (agent) return await agent.thaw({ timeoutMs });
  } catch (error) {
    if (!(error instanceof QemuError)) throw error;
    agent?.close();
  }
  using fresh = await openAgent(files, { timeoutMs, signal: AbortSignal.timeout(Math.ceil(timeoutMs)) });
  return await fresh.thaw({ timeoutMs });
}

/**
 * Thaws a guest that a command has left frozen. For every command that meets the machine; without a mark it costs one
 * look at a folder. Never throws because of what the guest does.
 *
 * @param evenWished also one that a user has frozen: a guest that cannot write cannot shut down.
 */
export async function thawLeftover(
  host: MachineContext,
  target: MachineRef,
  timeoutMs?: number,
  evenWished = false,
): Promise<void> {
  const mark = readFrozenMark(target.files);
  if (!mark || (mark.isWished ? !evenWished : mark.isHeld)) return;
  const count = await thawGuest(host, target, undefined, timeoutMs);
  if (count === undefined || count === 0) return;
  const since = mark.since === undefined ? '' : ` since ${mark.since}`;
  const message = mark.isWished
    ? `its file systems were frozen${since}: they are thawed, since it could not shut down`
    : `an interrupted command had left its file systems frozen${since}: they are thawed`;
  host.notify({ level: 'warning', machine: target.longName, message });
}
