import { basename } from 'node:path';
import { ConfigError } from '../../base/config-error.ts';
import { QemuError } from '../../base/errors.ts';
import type { RegistryEntry } from '../../config/registry.ts';
import { insideUnit } from '../../fleet/service/inside-unit.ts';
import type { MachineRef } from '../../machine/context.ts';
import { loadRegistry } from '../../machine/load-config.ts';
import { type Paths, resolvePaths } from '../../system/paths.ts';
import { isSystemdBooted } from '../../system/services/systemd.ts';
import type { Context } from '../run/context.ts';

/** Message for a host without machines. */
export const NO_MACHINE = 'no machine yet; create one: qemu-init create NAME --disk 8G';

/** Message of a command for machines that run. */
export const NOTHING_RUNS = 'no machine is running';

export interface SelectionArguments {
  readonly ids?: readonly string[];
  readonly all?: boolean;
  readonly direct?: boolean;
}

/** Machines that a command line names, and unknown ids. */
export interface Selection {
  /** Chosen by `--all`, not one by one. */
  readonly isAll?: boolean;
  readonly targets: readonly MachineRef[];
  readonly unknown: readonly { readonly id: string; readonly error: unknown }[];
}

/**
 * The machines that a command is for: those of `--all`, or the ids, each once.
 *
 * @param everything what `--all` means.
 * @throws {QemuError} `QEMU_USAGE` without both, and with both.
 */
export function select(context: Context, args: SelectionArguments, everything: () => readonly MachineRef[]): Selection {
  const ids = args.ids ?? [];
  if (args.all === true && ids.length > 0) {
    throw new QemuError('QEMU_USAGE', 'Both --all and machines were given', { hint: 'give one of them' });
  }
  if (args.all === true) return { isAll: true, targets: everything(), unknown: unreadable(context) };
  if (ids.length === 0) {
    throw new QemuError('QEMU_USAGE', 'No machine was given', {
      hint: 'name machines, or give --all; see: qemu-init list',
    });
  }
  const targets = new Map<string, MachineRef>();
  const unknown: { id: string; error: unknown }[] = [];
  for (const id of ids) {
    try {
      const isUnit = args.direct === true && insideUnit(context.paths, id) !== undefined;
      const target = isUnit ? context.fleet().machines.getOfUnit(id) : context.fleet().get(id);
      targets.set(target.longName, target);
    } catch (error) {
      if (!(error instanceof QemuError)) throw error;
      unknown.push({ id, error: withHostHint(context.paths, id, error) });
    }
  }
  return { targets: [...targets.values()], unknown };
}

/** Users other than root have their own machines; the wanted one may be the host's. */
function withHostHint(paths: Paths, id: string, error: QemuError): QemuError {
  if (error.code !== 'QEMU_MACHINE_UNKNOWN' || paths.scope !== 'user') return error;
  const host = resolvePaths({ system: true }, process.env, 0, '/');
  const entry = entriesOf(host).find(({ shortName, longName }) => [shortName, longName].includes(id));
  if (!entry) return error;
  return new QemuError(error.code, error.message, { cause: error.cause, hint: hostHint(id, entry.longName) });
}

/** What a user who is not root may do about a machine of the host. */
export function hostHint(id: string, longName: string): string {
  const unit = `qemu@${longName}`;
  const byUnit = isSystemdBooted()
    ? `; members of qemu-admin may: systemctl status ${unit}, systemctl stop ${unit}`
    : '';
  return `"${id}" is a machine of the host: run the same with sudo${byUnit}`;
}

function entriesOf({ registryFile }: Paths): readonly RegistryEntry[] {
  try {
    return loadRegistry(registryFile).entries;
  } catch {
    // Not readable by this user.
    return [];
  }
}

/** Reports a registry with mistakes like an unknown id: `--all` must not silently leave out machines. */
export function unreadable(context: Context): Selection['unknown'] {
  const path = context.paths.registryFile;
  const errors = context.fleet().registryIssues.filter(({ severity }) => severity === 'error');
  if (errors.length === 0) return [];
  return [{ id: basename(path), error: new ConfigError(`Registry "${path}" has mistakes`, errors) }];
}
