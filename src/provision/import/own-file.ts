import { ConfigError } from '../../base/config-error.ts';
import { renderMachineConfig } from '../../config/render-machine.ts';
import { formatIssue } from '../../config/text/issues.ts';
import { deriveUuid } from '../../config/uuid.ts';
import { inspectMachineConfig } from '../../machine/load-config.ts';
import type { ImportItem } from './draft.ts';
import type { ImportFormat } from './format.ts';
import type { ImportedMachine } from './import.ts';

/**
 * Reads a cfg file or a JSON machine, which qemu-init could run as it is, and writes it anew: paths become absolute,
 * and the defaults of this host have no part in it.
 *
 * @param path absolute.
 * @param name long name instead of the file's.
 * @throws {ConfigError} for a file with mistakes.
 */
export function importOwnFile(path: string, format: ImportFormat, name: string | undefined): ImportedMachine {
  // Without defaults, so that the file means the same on another host.
  const { config, issues, cleared } = inspectMachineConfig(path, '');
  if (!config) throw new ConfigError(`Cannot import "${path}"`, issues);
  const longName = name ?? config.longName;
  // Values that depend on the file's name follow the new name.
  const guest = config.origins.has('NAME') ? config.name : longName;
  const uuid = config.origins.has('UUID') ? config.uuid : deriveUuid(guest);
  const renamed = { ...config, longName, name: guest, uuid };
  const carried = [...config.origins].map(
    ([key, { line }]): ImportItem => ({
      line,
      source: key,
      outcome: 'carried',
      key,
      value: undefined,
      reason: undefined,
    }),
  );
  // What the reader of such files only warns of has no effect.
  const lost = issues.map(
    (issue): ImportItem => ({
      line: issue.line ?? 1,
      source: issue.key ?? '',
      outcome: 'lost',
      key: undefined,
      value: undefined,
      reason: formatIssue({ ...issue, file: undefined, line: undefined }),
    }),
  );
  const items = [...carried, ...lost].sort((one, other) => one.line - other.line);
  return { format, longName, text: renderMachineConfig(renamed, cleared), items, config: renamed, issues };
}
