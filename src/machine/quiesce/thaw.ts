import { countDown } from '../../base/abort.ts';
import { QemuError } from '../../base/errors.ts';
import type { AgentClient } from '../../qmp/agent/agent-client.ts';
import { isWritable } from '../../system/files/is-writable.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { channelState } from '../control/agent-channel.ts';
import { openAgent } from '../control/open-agent.ts';
import { NO_PORTS, openAny } from '../control/ways.ts';
import { readRecord } from '../run/record.ts';
import { readFrozenMark, removeFrozenMark } from './frozen-mark.ts';

/** A thaw takes 0.3 s in an emulated guest. */
const THAW_MS = 5_000;
/** An agent that is there is found in milliseconds. */
const FIND_MS = 3_000;
/** QEMU is asked first whether there is one, which must not cost time. */
const LOOK_MS = 1_000;
/** After a thaw that failed other commands of this process do not wait for the agent again. */
const PAUSE_MS = 60_000;

/**
 * Thaws the guest and removes the mark. When no agent confirms it, the mark stays for the next command, and a warning
 * says so.
 *
 * @param agent a session that is open already; when it fails, a new one is tried.
 * @param limitMs how long all of it may take, sessions and thaws together.
 * @returns how many file systems were frozen; undefined when that is not known.
 */
export async function thawGuest(
  host: MachineContext,
  target: MachineRef,
  agent?: AgentClient,
  limitMs = (agent ? THAW_MS : 0) + FIND_MS + THAW_MS,
): Promise<number | undefined> {
  try {
    const count = await thawBy(target, agent, limitMs);
    removeFrozenMark(target.files);
    return count;
  } catch (error) {
    if (!(error instanceof QemuError)) throw error;
    return warn(host, target, error.message);
  }
}

function warn(host: MachineContext, { longName }: MachineRef, why: string): undefined {
  const message = `its file systems may still be frozen (${why}): the next command thaws them, or: qemu-init status ${longName}`;
  host.notify({ level: 'warning', machine: longName, message });
}

async function thawBy({ files }: MachineRef, agent: AgentClient | undefined, limitMs: number): Promise<number> {
  const left = countDown(limitMs);
  try {
    if (agent) return await agent.thaw({ timeoutMs: Math.min(THAW_MS, left()) });
  } catch (error) {
    if (!(error instanceof QemuError)) throw error;
    agent?.close();
  }
  const findMs = Math.min(FIND_MS, left());
  using fresh = await openAgent(files, { timeoutMs: findMs, signal: AbortSignal.timeout(Math.ceil(findMs)) });
  return await fresh.thaw({ timeoutMs: Math.min(THAW_MS, left()) });
}

/**
 * Thaws a guest that a command has left frozen. For every command that meets the machine; without a mark it costs one
 * look at a folder. Who may not write there leaves it to others. Never throws because of what the guest does.
 *
 * @param limitMs how long all of it may take; longer without.
 * @param evenWished also one that a user has frozen: a guest that cannot write cannot shut down.
 */
export async function thawLeftover(
  host: MachineContext,
  target: MachineRef,
  limitMs = LOOK_MS + FIND_MS + THAW_MS,
  evenWished = false,
): Promise<void> {
  const mark = readFrozenMark(target.files);
  if (!mark || (mark.isWished ? !evenWished : mark.isHeld)) return;
  // A stop tries again: a guest that cannot write is ended hard. Who may not write could neither take the turn at the agent
  // nor remove the mark.
  if (!evenWished && (hasJustFailed(host, target) || !isWritable(target.files.dir))) return;
  const left = countDown(limitMs);
  const count = (await isAgentThere(target, Math.min(LOOK_MS, left())))
    ? await thawGuest(host, target, undefined, left())
    : warn(host, target, 'no agent runs in the guest');
  if (count === undefined) failures(host).set(target.longName, performance.now());
  else failures(host).delete(target.longName);
  if (count === undefined || count === 0) return;
  const since = mark.since === undefined ? '' : ` since ${mark.since}`;
  const message = mark.isWished
    ? `its file systems were frozen${since}: they are thawed, since it could not shut down`
    : `an interrupted command had left its file systems frozen${since}: they are thawed`;
  host.notify({ level: 'warning', machine: target.longName, message });
}

/** Whether a program in the guest has the channel open, or QEMU does not say. */
async function isAgentThere({ files }: MachineRef, limitMs: number): Promise<boolean> {
  const left = countDown(limitMs);
  try {
    const { value: client } = await openAny(files, readRecord(files) ?? NO_PORTS, { timeoutMs: left() });
    try {
      return (await channelState(client, { timeoutMs: left() })) === 'open';
    } finally {
      await client.close();
    }
  } catch (error) {
    if (!(error instanceof QemuError)) throw error;
    return true;
  }
}

/** When thaws have failed, by long names. */
const FAILURES = new WeakMap<MachineContext, Map<string, number>>();

function failures(host: MachineContext): Map<string, number> {
  const known = FAILURES.get(host) ?? new Map<string, number>();
  FAILURES.set(host, known);
  return known;
}

function hasJustFailed(host: MachineContext, { longName }: MachineRef): boolean {
  const at = failures(host).get(longName);
  return at !== undefined && performance.now() - at < PAUSE_MS;
}
