import { join } from 'node:path';
import { delay } from '../../base/abort.ts';
import { errorCode } from '../../base/errors.ts';
import { ensureDir, namesIn, readTextIfExists, removeIfExists } from '../../system/files/files.ts';
import { writeFileAtomic } from '../../system/files/write-file.ts';
import { withLock } from '../../system/lock/lock.ts';
import { machinePaths } from '../../system/paths.ts';
import { isPortFree } from '../../system/ports.ts';
import { isSameProcess, readProcess } from '../../system/process/process.ts';
import { type Allocation, allocationOf, NO_SLOT, VNC_BASE_PORT } from '../allocation.ts';
import type { MachineContext } from '../context.ts';
import { locate } from './locate.ts';

/** A lock that is held for milliseconds; past this something is wrong. */
const LOCK_TIMEOUT_MS = 60_000;

export interface SlotRequest {
  readonly longName: string;
  /** Whether a VNC display comes from the slot. */
  readonly usesVnc: boolean;
  /** Slots whose ports turned out to be taken. */
  readonly skip: ReadonlySet<number>;
  readonly signal?: AbortSignal | undefined;
}

/**
 * When this process made which claim, and for which machine. One that is this young is not looked at again, which spares the start of a
 * hundred machines a look at each of them from each other.
 */
const made = new Map<string, { readonly at: number; readonly longName: string }>();
const YOUNG_CLAIM_MS = 10_000;

/**
 * Gives a machine its last slot again when that is free, else the lowest free one, and notes it. A claim whose machine
 * is gone counts for nothing.
 */
export async function claimSlot(host: MachineContext, wish: SlotRequest): Promise<Allocation> {
  const { paths } = host;
  ensureDir(paths.slotsDir, 0o700);
  return withLock(paths.slotsLock, { timeoutMs: LOCK_TIMEOUT_MS, signal: wish.signal, purpose: 'slot' }, async () => {
    const lastSlots = readLastSlots(host);
    const claimed = claimedSlots(paths.slotsDir);
    for (const slot of candidates(lastSlots[wish.longName])) {
      const allocation = allocationOf(slot, host.monitor);
      if (!allocation) break;
      if (wish.skip.has(slot)) continue;
      if (claimed.has(slot) && !isAbandoned(host, slot, wish.longName)) continue;
      if (!(await arePortsFree(allocation, wish.usesVnc))) continue;
      writeClaim(host, slot, wish.longName);
      rememberSlot(host, lastSlots, wish.longName, slot);
      return allocation;
    }
    return NO_SLOT;
  });
}

/** The slot that {@link claimSlot} would give now. Changes nothing. */
export async function previewSlot(host: MachineContext, longName: string, usesVnc: boolean): Promise<Allocation> {
  const claimed = claimedSlots(host.paths.slotsDir);
  for (const slot of candidates(readLastSlots(host)[longName])) {
    const allocation = allocationOf(slot, host.monitor);
    if (!allocation) break;
    if (claimed.has(slot) && !isAbandoned(host, slot, longName)) continue;
    if (await arePortsFree(allocation, usesVnc)) return allocation;
  }
  return NO_SLOT;
}

const FREE_MS = 20;

/** Waits until the last slot of a machine is free: the kernel closes the ports of a QEMU a moment after it was killed. */
export async function awaitLastSlot(
  host: MachineContext,
  { longName, usesVnc, signal }: Omit<SlotRequest, 'skip'>,
  timeoutMs: number,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  const last = readLastSlots(host)[longName];
  while (last !== undefined && performance.now() < deadline) {
    if ((await previewSlot(host, longName, usesVnc)).slot === last) return;
    await delay(FREE_MS, signal);
  }
}

/**
 * Frees the slot when the machine holds it; without a number, every one that it holds. A claim that is missed is found
 * out later: see {@link isAbandoned}.
 */
export function releaseSlot(host: MachineContext, longName: string, slot: number | undefined): void {
  for (const each of slot === undefined ? claimedSlots(host.paths.slotsDir) : [slot]) {
    if (readClaim(host, each)?.name !== longName) continue;
    removeIfExists(claimFile(host, each));
    made.delete(claimFile(host, each));
  }
}

function* candidates(last: number | undefined): Generator<number> {
  if (last !== undefined) yield last;
  for (let slot = 0; ; slot++) if (slot !== last) yield slot;
}

function claimedSlots(slotsDir: string): ReadonlySet<number> {
  return new Set(
    namesIn(slotsDir)
      .filter((name) => /^\d+$/.test(name))
      .map(Number),
  );
}

interface Claim {
  readonly name: string;
  /** The command that claimed it: keeps the slot until QEMU does. */
  readonly pid: number;
  readonly startTime: string;
}

function claimFile(host: MachineContext, slot: number): string {
  return join(host.paths.slotsDir, String(slot));
}

function readClaim(host: MachineContext, slot: number): Claim | undefined {
  const text = readTextIfExists(claimFile(host, slot));
  const [name, pid, startTime] = (text ?? '').trimEnd().split(' ');
  if (!name || !pid || startTime === undefined) return undefined;
  return { name, pid: Number(pid), startTime };
}

function writeClaim(host: MachineContext, slot: number, longName: string): void {
  const startTime = readProcess(process.pid)?.startTime ?? '';
  writeFileAtomic(claimFile(host, slot), `${longName} ${process.pid} ${startTime}\n`, 0o600);
  made.set(claimFile(host, slot), { at: Date.now(), longName });
}

/**
 * Whether nothing holds the claim any more: unreadable, the asker's own, or of a machine and a command that are gone.
 */
function isAbandoned(host: MachineContext, slot: number, asker: string): boolean {
  const young = made.get(claimFile(host, slot));
  if (young && Date.now() - young.at < YOUNG_CLAIM_MS) return young.longName === asker;
  const claim = readClaim(host, slot);
  if (!claim || claim.name === asker) return true;
  const located = locate(machinePaths(host.paths, claim.name));
  if (located.kind === 'alive') return false;
  return !(located.record?.phase !== 'running' && isSameProcess(claim.pid, claim.startTime));
}

async function arePortsFree(allocation: Allocation, usesVnc: boolean): Promise<boolean> {
  const { monitorPort, controlPort, vncDisplay } = allocation;
  const vncPort = usesVnc && vncDisplay !== undefined ? VNC_BASE_PORT + vncDisplay : undefined;
  for (const port of [monitorPort, controlPort, vncPort]) {
    if (port !== undefined && !(await isPortFree(port))) return false;
  }
  return true;
}

function readLastSlots(host: MachineContext): Readonly<Record<string, number>> {
  const slots: Record<string, number> = Object.create(null);
  try {
    const value: unknown = JSON.parse(readTextIfExists(host.paths.lastSlotsFile) ?? '{}');
    for (const [name, slot] of Object.entries(value ?? {})) {
      // One past the last port is of another MONPORT, or damaged.
      if (Number.isSafeInteger(slot) && slot >= 0 && allocationOf(slot, host.monitor)) slots[name] = slot;
    }
  } catch {
    // Damaged or unreadable: the machines get new slots, which is all that is lost.
  }
  return slots;
}

function rememberSlot(
  host: MachineContext,
  slots: Readonly<Record<string, number>>,
  longName: string,
  slot: number,
): void {
  if (slots[longName] === slot) return;
  try {
    ensureDir(host.paths.stateDir, 0o755);
    writeFileAtomic(host.paths.lastSlotsFile, `${JSON.stringify({ ...slots, [longName]: slot }, null, 1)}\n`, 0o644);
  } catch (error) {
    host.notify({
      level: 'warning',
      machine: longName,
      message: `cannot record slot ${slot} in "${host.paths.lastSlotsFile}" (${causeOf(error)}): the next start may get another one`,
    });
  }
}

function causeOf(error: unknown): string {
  return errorCode(error instanceof Error ? error.cause : undefined) ?? String(error);
}
