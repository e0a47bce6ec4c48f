import { basename } from 'node:path';
import { ConfigError } from '../../base/config-error.ts';
import { QemuError } from '../../base/errors.ts';
import { hasErrors, type Problem } from '../../base/problem.ts';
import { parseMachineConfig } from '../../config/machine-config.ts';
import { isValidName, NAME_RULE } from '../../config/text/names.ts';
import type { MachineConfig } from '../../config/types.ts';
import { readCommand } from './command/command.ts';
import type { ImportDraft, ImportItem } from './draft.ts';
import type { ImportFiles } from './files.ts';
import { detectFormat, type ImportFormat } from './format.ts';
import { readLibvirt } from './libvirt/domain.ts';
import { readProxmox } from './proxmox/machine.ts';
import { readQuickemu } from './quickemu/quickemu.ts';
import { renderDraft } from './render-draft.ts';
import { readVmBhyve } from './vm-bhyve.ts';

/** Definitions have a few KiB; more is refused before it is read. */
export const LARGEST_DEFINITION = 1024 * 1024;

/** How to read a foreign definition. */
export interface ImportOptions {
  /** Path of the file, for messages and as the folder of relative names; need not exist. */
  readonly path: string;
  /** Which kind it is (default: found out). */
  readonly format?: ImportFormat | undefined;
  /** Long name (default: what the definition says). */
  readonly name?: string | undefined;
  readonly files: ImportFiles;
  /** Configuration folder of the scope. */
  readonly etcDir: string;
}

/** A machine made from a foreign definition. */
export interface ImportedMachine {
  readonly format: ImportFormat;
  readonly longName: string;
  /** The cfg file. */
  readonly text: string;
  /** What became of each element, key and option. */
  readonly items: readonly ImportItem[];
  readonly config: MachineConfig;
  /** Warnings of the parser of cfg files. */
  readonly issues: readonly Problem[];
}

const READERS: Readonly<
  Partial<Record<ImportFormat, (text: string, path: string, files: ImportFiles) => ImportDraft>>
> = {
  libvirt: readLibvirt,
  proxmox: readProxmox,
  quickemu: readQuickemu,
  'vm-bhyve': readVmBhyve,
  command: readCommand,
};

/**
 * Makes the cfg file of a machine from a foreign definition, as data: nothing in it is executed, fetched or written.
 * Images stay where they are.
 *
 * @throws {QemuError} `QEMU_CONFIG_INVALID` when it cannot be read, `QEMU_USAGE` when the name is not valid.
 * @throws {ConfigError} when the result would be no valid file.
 */
export function importDefinition(text: string, options: ImportOptions): ImportedMachine {
  const { path, files, etcDir } = options;
  if (text.length > LARGEST_DEFINITION) {
    throw new QemuError('QEMU_CONFIG_INVALID', `${path}: is larger than ${LARGEST_DEFINITION} bytes`);
  }
  const format = options.format ?? detectFormat(text, path);
  if (format !== 'command' && text.includes('\0')) {
    throw new QemuError('QEMU_CONFIG_INVALID', `${path}:${lineOf(text, '\0')}: has a NUL byte: is this a text file?`);
  }
  const reader = READERS[format];
  if (!reader) throw new QemuError('QEMU_CONFIG_INVALID', `${path}: is a file of qemu-init already`);
  const draft = reader(text, path, files);
  draft.bootOnlyIndexed();
  const longName = options.name ?? nameOf(draft, path);
  if (!isValidName(longName)) {
    throw new QemuError('QEMU_USAGE', `"${longName}" is not a valid name for a machine`, { hint: NAME_RULE });
  }
  nameGuest(draft, longName, options.name !== undefined);
  const configPath = `${etcDir}/${longName}-qemu.cfg`;
  const { config, issues, text: cfg } = settle(draft, `"${basename(path)}" (${format})`, configPath, etcDir);
  return { format, longName, text: cfg, items: draft.items, config, issues };
}

/** A valid name as near as possible to what the definition says. */
function nameOf(draft: ImportDraft, path: string): string {
  const wanted = draft.name ?? basename(path).replace(/\.[^.]*$/, '');
  return wanted
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .replaceAll(/[^A-Za-z0-9_.-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .replace(/-+$/, '')
    .slice(0, 40);
}

/** NAME is what the guest is called; a name that is not valid for it is replaced by the long name. */
function nameGuest(draft: ImportDraft, longName: string, isGiven: boolean): void {
  const name = draft.settings.get('NAME');
  if (name === undefined || isGiven || !isValidName(name)) {
    const reason = isGiven ? 'the given name' : 'a valid name';
    draft.rename(longName, reason);
  }
}

/** More rounds than this would mean that keys come back. */
const MOST_ROUNDS = 50;

/** Takes out what the parser of cfg files refuses, with its reason, until the rest is a valid file. */
function settle(
  draft: ImportDraft,
  origin: string,
  path: string,
  etcDir: string,
): { config: MachineConfig; issues: readonly Problem[]; text: string } {
  draft.rejectControls();
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const text = renderDraft(draft, origin);
    const { config, issues } = parseMachineConfig(text, { path, etcDir });
    if (config && !hasErrors(issues)) return { config, issues, text };
    const wrong = new Map<string, string>();
    for (const { severity, key, message } of issues) {
      if (severity === 'error' && key !== undefined && !wrong.has(key)) wrong.set(key, message);
    }
    // Numbers change when a device is taken out, so the last one is first.
    const keys = [...wrong.keys()].toSorted((a, b) => b.localeCompare(a, 'en', { numeric: true }));
    const isBetter = keys.map((key) => draft.reject(key, wrong.get(key) ?? '')).includes(true);
    if (!isBetter) throw new ConfigError(`Cannot import ${origin}`, issues);
  }
  throw new QemuError('QEMU_CONFIG_INVALID', `Cannot import ${origin}`);
}

function lineOf(text: string, piece: string): number {
  return text.slice(0, text.indexOf(piece)).split('\n').length;
}
