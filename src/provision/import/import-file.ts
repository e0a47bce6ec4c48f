import { existsSync, readlinkSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { QemuError } from '../../base/errors.ts';
import type { LongWorkOptions } from '../../base/progress.ts';
import { isValidName, NAME_RULE } from '../../config/text/names.ts';
import { readBoundedText } from '../../system/files/bounded-text.ts';
import { ensureDir, isThere } from '../../system/files/files.ts';
import { readFirstText } from '../../system/files/first-text.ts';
import { writeFileAtomic } from '../../system/files/write-file.ts';
import type { Paths } from '../../system/paths.ts';
import { readProcess } from '../../system/process/process.ts';
import { trustPath } from '../../system/trust/trusted-path.ts';
import { type CopiedFile, writeImportWithDisks } from './copy-disks.ts';
import type { ImportFiles } from './files.ts';
import { detectFormat, type ImportFormat } from './format.ts';
import { type ImportedMachine, importDefinition, LARGEST_DEFINITION } from './import.ts';
import { importOwnFile } from './own-file.ts';

/** What to import. */
export type ImportSource =
  | { readonly kind: 'file'; readonly path: string }
  /** Text that was read elsewhere, such as from standard input. */
  | { readonly kind: 'text'; readonly text: string }
  /** A running QEMU, whose command line is read. */
  | { readonly kind: 'process'; readonly pid: number };

/** How to read it. */
export interface ImportFileOptions {
  /** Which kind of definition it is (default: found out). */
  readonly format?: ImportFormat | undefined;
  readonly name?: string | undefined;
  /** Folders and devices of storages that a definition only names. */
  readonly storages?: ReadonlyMap<string, string> | undefined;
}

/** How to import it. */
export interface ImportMachineOptions extends ImportFileOptions, LongWorkOptions {
  /** Folder for the files (default: that of the scope). */
  readonly dir?: string | undefined;
  /** Copies the disks and the variables of the firmware next to the file, instead of using them where they are. */
  readonly copyDisks?: boolean | undefined;
  /** Overwrites a file that exists; not with `copyDisks`. */
  readonly force?: boolean | undefined;
  /** Writes nothing. */
  readonly dryRun?: boolean | undefined;
}

/** What was imported. */
export interface ImportResult extends ImportedMachine {
  /** The file that was written; undefined with `dryRun`. */
  readonly configPath: string | undefined;
  /** With `copyDisks`. */
  readonly copied: readonly CopiedFile[];
}

/**
 * Makes the file of a machine from the definition of another program.
 *
 * @throws {ConfigError} when the result would be no valid file.
 * @throws {QemuError} as {@link readImport}, `QEMU_IO` when a file exists or a disk cannot be copied,
 * `QEMU_COMMAND_FAILED`, `QEMU_NOT_PERMITTED`, `QEMU_ABORTED`.
 */
export async function importMachine(
  paths: Paths,
  source: ImportSource,
  options: ImportMachineOptions,
): Promise<ImportResult> {
  const { copyDisks = false, force = false, dryRun = false, signal, onProgress } = options;
  if (copyDisks && force) throw new QemuError('QEMU_USAGE', 'Disks are not copied over others: leave out --force');
  const imported = await readImport(paths, source, options);
  if (dryRun) return { ...imported, configPath: undefined, copied: [] };
  const dir = options.dir === undefined ? paths.etcDir : resolve(options.dir);
  if (!copyDisks) return { ...imported, configPath: writeImport(imported, dir, force), copied: [] };
  const { path, copied } = await writeImportWithDisks(paths, imported, dir, { signal, onProgress });
  return { ...imported, configPath: path, copied };
}

/**
 * Reads the definition of a machine of another program and makes a cfg file of it. Writes nothing.
 *
 * @throws {QemuError} `QEMU_MACHINE_UNKNOWN` when there is no such file or process, `QEMU_CONFIG_INVALID` when it
 * cannot be read as a machine, `QEMU_USAGE` for an invalid name, `QEMU_IO`, `QEMU_TIMEOUT`, `QEMU_ABORTED`.
 */
async function readImport(paths: Paths, source: ImportSource, options: ImportMachineOptions): Promise<ImportedMachine> {
  const { text, path, dir } = await textOf(source, options.signal);
  const format = options.format ?? (source.kind === 'process' ? 'command' : detectFormat(text, path));
  const isOwn = format === 'ozone' || format === 'cfg';
  if (isOwn && source.kind !== 'file') {
    throw new QemuError('QEMU_USAGE', 'A JSON machine or a cfg file is read from a file', { hint: 'give its path' });
  }
  const imported = isOwn
    ? importOwnFile(path, text, format, options.name)
    : importDefinition(text, {
        path,
        format,
        name: options.name,
        etcDir: paths.etcDir,
        files: filesOf(dir, options.storages ?? new Map()),
      });
  if (isValidName(imported.longName)) return imported;
  throw new QemuError('QEMU_USAGE', `"${imported.longName}" is not a valid name for a machine`, { hint: NAME_RULE });
}

/** What prints a definition into a pipe may have to fetch it. */
const PIPE_MS = 60_000;

async function textOf(
  source: ImportSource,
  signal: AbortSignal | undefined,
): Promise<{ text: string; path: string; dir: string }> {
  if (source.kind === 'text') return { text: source.text, path: 'standard input', dir: process.cwd() };
  if (source.kind === 'file') {
    const path = resolve(source.path);
    const text = await readFirstText(path, LARGEST_DEFINITION + 1, { timeoutMs: PIPE_MS, signal });
    if (text === undefined) throw new QemuError('QEMU_MACHINE_UNKNOWN', `There is no file "${path}"`);
    return { text, path, dir: dirname(path) };
  }
  const found = readProcess(source.pid);
  if (!found) throw new QemuError('QEMU_MACHINE_UNKNOWN', `There is no process ${source.pid}`);
  return {
    text: found.argv.map((word) => `${word}\0`).join(''),
    path: `process ${source.pid}`,
    dir: workingFolder(source.pid),
  };
}

/** Of a process of another user it cannot be seen. */
function workingFolder(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return '/';
  }
}

function filesOf(dir: string, storages: ReadonlyMap<string, string>): ImportFiles {
  return {
    dir,
    storages,
    exists: (path) => isThere(path),
    read: (path) => (existsSync(path) ? readBoundedText(path, LARGEST_DEFINITION) : undefined),
  };
}

/**
 * Writes the cfg file of an imported machine.
 *
 * @param dir folder for it.
 * @returns its path.
 * @throws {QemuError} `QEMU_IO` when it exists and is not to be overwritten, `QEMU_NOT_PERMITTED` where others can
 * exchange it.
 */
function writeImport(imported: ImportedMachine, dir: string, force: boolean): string {
  const path = join(dir, `${imported.longName}-qemu.cfg`);
  if (existsSync(path) && !force) {
    throw new QemuError('QEMU_IO', `File "${path}" exists already`, {
      hint: 'give --force to overwrite it, or --name',
    });
  }
  // Others could exchange the file before it is used.
  trustPath(path);
  ensureDir(dirname(path), 0o755);
  writeFileAtomic(path, imported.text, 0o644, { durable: true });
  return path;
}
