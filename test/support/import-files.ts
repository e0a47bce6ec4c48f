import type { ImportFiles } from '../../src/provision/import/files.ts';
import type { ImportFormat } from '../../src/provision/import/format.ts';
import { type ImportedMachine, importDefinition } from '../../src/provision/import/import.ts';

/** A definition of a machine, as it is on the host of another program. */
export interface Definition {
  readonly title: string;
  /** Where it is there, without the first slash. */
  readonly path: string;
  readonly text: string;
  /** Default: found out. */
  readonly format?: ImportFormat | undefined;
}

/** Imports a definition on a host that has the named files. */
export function importText(
  text: string,
  path: string,
  there: Readonly<Record<string, string>> = {},
  storages: ReadonlyMap<string, string> = new Map(),
): ImportedMachine {
  const files: ImportFiles = {
    dir: path.replace(/\/[^/]*$/, ''),
    exists: (name) => name in there,
    read: (name) => there[name.replace(/[^/]+\/\.\.\//g, '')],
    storages,
  };
  return importDefinition(text, { path, files, etcDir: '/etc/qemu' });
}

/** The lines of the cfg file of a machine, without comments. */
export function linesOf({ text }: ImportedMachine): string[] {
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

/** The items of one outcome, as `source: reason`. */
export function ofOutcome({ items }: ImportedMachine, ...outcomes: string[]): string[] {
  return items
    .filter(({ outcome }) => outcomes.includes(outcome))
    .map(({ source, reason }) => `${source}: ${reason ?? ''}`);
}
