import { QemuError } from '../../base/errors.ts';
import { quote } from '../../base/text.ts';
import { parsePciDevices } from '../../domain/pci-device.ts';
import type { GuestFileSystem, GuestPciAddress } from '../../qmp/agent/agent-answers.ts';
import { openAgentOf } from '../control/agent.ts';
import type { PlugContext } from './execute.ts';

/** A disk that is to be taken out. */
export interface LeavingDisk {
  readonly key: string;
  /** Ids of its devices. */
  readonly ids: readonly string[];
}

/** A guest may have any number of file systems, and give them any names. */
const MOST_NAMED = 3;
const MOST_NAME = 100;

/**
 * Asks the guest's agent whether disks that are to be taken out are mounted: a guest releases them in any case, and what
 * it had not written yet is lost. Without an answer nothing is known, and nothing is refused.
 *
 * @param timeoutMs how long the agent may take, if there is one.
 * @throws {QemuError} `QEMU_MACHINE_STATE` when one is mounted; `QEMU_ABORTED`.
 */
export async function refuseMounted(
  context: PlugContext,
  leaving: readonly LeavingDisk[],
  timeoutMs: number,
): Promise<void> {
  if (leaving.length === 0) return;
  const { client, target } = context;
  const fileSystems = await askAgent(context, timeoutMs);
  if (fileSystems.length === 0) return;
  const devices = parsePciDevices(await client.executeRaw('query-pci', undefined, context));
  for (const { key, ids } of leaving) {
    const own = new Set(devices.filter(({ qdevId }) => ids.includes(qdevId)).map(placeOf));
    const found = fileSystems.filter(({ disks }) => disks.some((disk) => own.has(placeOf(disk))));
    if (found.length === 0) continue;
    const places = found.slice(0, MOST_NAMED).map(({ mountPoint }) => quote(mountPoint.slice(0, MOST_NAME)));
    const message = `Cannot take ${key} out of "${target.longName}": its guest has it mounted on ${places.join(', ')}`;
    throw new QemuError('QEMU_MACHINE_STATE', message, { hint: 'unmount it in the guest; nothing was done' });
  }
}

async function askAgent(
  { host, target, client, signal }: PlugContext,
  timeoutMs: number,
): Promise<readonly GuestFileSystem[]> {
  const deadline = performance.now() + timeoutMs;
  try {
    using agent = await openAgentOf(host, target, { timeoutMs, signal }, client);
    return await agent.fileSystems({ timeoutMs: Math.max(1, deadline - performance.now()), signal });
  } catch (error) {
    if (!(error instanceof QemuError) || signal?.aborted) throw error;
    return [];
  }
}

function placeOf({ bus, slot, function: fn }: GuestPciAddress): string {
  return `${bus}:${slot}.${fn}`;
}
