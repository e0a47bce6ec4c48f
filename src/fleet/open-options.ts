import type { Notify } from '../machine/context.ts';
import { resolvePaths } from '../system/paths.ts';
import { trustPath } from '../system/trust/trusted-path.ts';
import type { MachineManager } from './machine-manager.ts';
import { findServices } from './service/services.ts';

/** Which machines {@link Fleet.open} opens, and how. */
export interface FleetOptions {
  /** Folder that contains everything (default: `QEMU_INIT_ROOT`). */
  readonly root?: string | undefined;
  /**
   * The host's machines or the caller's own (default without a root folder: the host's for root, else the caller's).
   */
  readonly scope?: 'system' | 'user' | undefined;
  /** Called with notices for people before the result is there. */
  readonly notify?: Notify | undefined;
  /** `none`: this process starts machines itself, even where systemd runs them as units. */
  readonly services?: 'auto' | 'none' | undefined;
}

/** What {@link Fleet} is constructed with to be as the options say. @throws as {@link Fleet.open}. */
export function fleetArguments(options: FleetOptions): ConstructorParameters<typeof MachineManager> {
  const { root, scope, notify, services } = options;
  const forced = { system: scope === 'system', user: scope === 'user' };
  const named = root ?? (scope === undefined ? process.env['QEMU_INIT_ROOT'] || undefined : undefined);
  // Without links: machines are recognised by paths on their command lines, so one root must not have two spellings.
  const folder = named === undefined ? undefined : trustPath(named).path;
  const paths = resolvePaths({ root: folder, ...forced }, process.env, process.getuid?.() ?? 0, process.cwd());
  return [paths, notify, services === 'none' ? undefined : findServices(paths)];
}
