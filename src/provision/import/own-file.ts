import { ConfigError } from '../../base/config-error.ts';
import type { Problem } from '../../base/problem.ts';
import { renderMachineConfig } from '../../config/render-machine.ts';
import type { MachineConfig } from '../../config/types.ts';
import { deriveUuid } from '../../config/uuid.ts';
import { inspectMachineConfig } from '../../machine/load-config.ts';
import type { ImportItem } from './draft.ts';
import type { ImportFormat } from './format.ts';
import type { ImportedMachine } from './import.ts';
import { ozoneItems } from './ozone-items.ts';

/**
 * Reads a cfg file or a JSON machine, which qemu-init could run as it is, and writes it anew: paths become absolute,
 * and the defaults of this host have no part in it.
 *
 * @param path absolute.
 * @param text what is in it.
 * @param name long name instead of the file's.
 * @throws {ConfigError} for a file with mistakes.
 */
export function importOwnFile(
  path: string,
  text: string,
  format: ImportFormat,
  name: string | undefined,
): ImportedMachine {
  // Without defaults, so that the file means the same on another host.
  const { config, issues, cleared } = inspectMachineConfig(path, '');
  if (!config) throw new ConfigError(`Cannot import "${path}"`, issues);
  const longName = name ?? config.longName;
  // Values that depend on the file's name follow the new name.
  const guest = config.origins.has('NAME') ? config.name : longName;
  const uuid = config.origins.has('UUID') ? config.uuid : deriveUuid(guest);
  const renamed = { ...config, longName, name: guest, uuid };
  const accounted = format === 'ozone' ? ozoneItems(text, issues) : ownItems(config, issues);
  return { format, longName, text: renderMachineConfig(renamed, cleared), ...accounted, config: renamed };
}

/** Each key of a cfg file, and what the reader of such files only warns of, which has no effect. */
function ownItems(config: MachineConfig, issues: readonly Problem[]): Pick<ImportedMachine, 'items' | 'issues'> {
  const plain = { value: undefined, reason: undefined };
  const carried = [...config.origins].map(
    ([key, { line }]): ImportItem => ({ ...plain, line, source: key, outcome: 'carried', key }),
  );
  const lost = issues.map(({ line = 1, key, message, hint }): ImportItem => {
    const reason = hint === undefined ? message : `${message} (${hint})`;
    return { ...plain, line, source: key ?? '', outcome: 'lost', key: undefined, reason };
  });
  return { items: [...carried, ...lost].sort((one, other) => one.line - other.line), issues: [] };
}
