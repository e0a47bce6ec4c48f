import { QemuError } from '../base/errors.ts';
import type { MachineManager } from '../fleet/machine-manager.ts';
import type { Registration } from '../fleet/register.ts';
import type { MachineRef } from '../machine/context.ts';
import { type CloneResult, cloneMachine } from './clone/clone.ts';
import { type CreateOptions, createMachine, findImage } from './create.ts';
import { shortSettings } from './short-options.ts';

/** A machine that was created. */
export interface Creation extends Registration {
  /** Ports of this host that lead to it, by those that lead to the machine that it was created from. */
  readonly ports: ReadonlyMap<number, number>;
}

/** Creates a machine from nothing, or from another one. @throws as {@link createMachine} and {@link createFrom}. */
export async function create(fleet: MachineManager, name: string, options: CreateOptions): Promise<Creation> {
  if (options.from !== undefined) return createFrom(fleet, options.from, name, options);
  return { ...(await createMachine(fleet, name, options)), ports: new Map() };
}

/**
 * Creates a machine from another one, which may run: a clone of it with other settings and other data for cloud-init.
 *
 * @throws {QemuError} `QEMU_USAGE` for options that do not go with it; else as {@link cloneMachine} does.
 */
async function createFrom(
  fleet: MachineManager,
  source: MachineRef,
  name: string,
  options: CreateOptions,
): Promise<CloneResult> {
  const { image, os, disks = [], short = {}, settings = [], seed, linked, dir, signal, onProgress } = options;
  refuse('--image', image !== undefined, 'its disks are copies of those of the other machine');
  refuse('--os', os !== undefined, 'it has the system of the other machine');
  refuse('--disk', disks.length > 0, `its disks are as large as those; afterwards: qemu-init disk resize ${name} DSK1`);
  const { cwd = process.cwd() } = options;
  const iso = short.iso === undefined ? undefined : await findImage(fleet, short.iso, cwd, options);
  const all = [...settings, ...shortSettings({ ...short, iso }, settings, cwd)];
  return cloneMachine(fleet, source, name, { linked, dir, cwd, seed, settings: all, signal, onProgress });
}

function refuse(option: string, isGiven: boolean, hint: string): void {
  if (isGiven) throw new QemuError('QEMU_USAGE', `${option} cannot be combined with --from`, { hint });
}
