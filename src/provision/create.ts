import { closeSync, existsSync, fchownSync, openSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { ConfigError } from '../base/config-error.ts';
import { QemuError } from '../base/errors.ts';
import type { Problem } from '../base/problem.ts';
import { parseMachineConfig } from '../config/machine-config.ts';
import { renderTemplate } from '../config/template.ts';
import { setKey } from '../config/text/edit-text.ts';
import { isValidName, NAME_RULE } from '../config/text/names.ts';
import { parseSize, renderSize } from '../config/text/values.ts';
import type { MachineConfig } from '../config/types.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { registerMachine } from '../fleet/register.ts';
import { LARGEST_FILE } from '../machine/config-text.ts';
import type { MachineRef } from '../machine/context.ts';
import { ensureOwnUser } from '../machine/start/own-user.ts';
import { runAsPrefix } from '../machine/start/run-as.ts';
import { fileError } from '../system/files/file-error.ts';
import { ensureDir, removeIfExists, writeFileAtomic } from '../system/files/files.ts';
import { runQemuImg } from '../system/images/qemu-img.ts';
import { probeQemu } from '../system/probe/qemu-probe.ts';
import { readTrustedText, trustPath } from '../system/trust/trusted-path.ts';
import { findUser, type User } from '../system/users.ts';
import { type OsPreset, osPreset } from './os-preset.ts';

/** How to create a machine. */
export interface CreateOptions {
  /** Keys of its file and their values, as written there. */
  readonly settings?: readonly (readonly [key: string, value: string])[] | undefined;
  /**
   * Creates a qcow2 image of that size as the machine's next disk: a number of bytes, or with K, M, G or T, such as
   * `8G`.
   */
  readonly diskSize?: string | undefined;
  /**
   * System whose preset the file begins with, such as `windows11`: see {@link osPreset}. `settings` override it.
   */
  readonly os?: string | undefined;
  /** Folder for both files (default: that of the scope). */
  readonly dir?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Creates the file of a new machine from the template, and registers it. Its MACHINE is pinned to the present versioned
 * type, so that the guest's board does not change when QEMU is upgraded. When anything fails nothing is left; what the
 * host does not have yet, such as the image of a CD, does not prevent it, and is returned.
 *
 * @throws {ConfigError} for keys or values that are wrong.
 * @throws {QemuError} `QEMU_USAGE` for an invalid name or a system without a preset, `QEMU_IO` when a file of that
 * name exists, `QEMU_CONFIG_INVALID` when the name is taken, `QEMU_NOT_INSTALLED` without QEMU, `QEMU_COMMAND_FAILED`
 * when the image cannot be created.
 */
export async function createMachine(
  fleet: Fleet,
  name: string,
  options: CreateOptions = {},
): Promise<{ target: MachineRef; issues: Problem[] }> {
  const { diskSize, os, signal } = options;
  const preset = os === undefined ? undefined : osPreset(os);
  const settings = overPreset(preset, options.settings ?? []);
  const bytes = diskSize === undefined ? undefined : sizeOfDisk(diskSize);
  if (!isValidName(name))
    throw new QemuError('QEMU_USAGE', `"${name}" is not a valid name for a machine`, { hint: NAME_RULE });
  const { paths } = fleet.host;
  const dir = options.dir === undefined ? paths.etcDir : resolve(options.dir);
  // Others could exchange the new files before they are used.
  trustPath(dir);
  const configPath = join(dir, `${name}-qemu.cfg`);
  const image = join(dir, `${name}.qcow2`);
  for (const path of bytes === undefined ? [configPath] : [configPath, image]) {
    if (existsSync(path)) throw new QemuError('QEMU_IO', `File "${path}" exists already`);
  }
  const key = `DSK${settings.filter(([each]) => each.startsWith('DSK')).length + 1}`;
  const wanted =
    bytes === undefined
      ? settings
      : [...settings, [key, `${name}.qcow2,format=qcow2${preset?.diskOptions ?? ''}`] as const];
  const defaults = readTrustedText(paths.defaultsFile, LARGEST_FILE);
  const draft = check(
    wanted,
    { path: configPath, etcDir: paths.etcDir },
    defaults === undefined ? undefined : { path: paths.defaultsFile, text: defaults },
  );
  const probe = await probeQemu(draft.targetArch, paths.probesDir, { signal });
  const pinned = probe.machines.get(draft.machine) ?? draft.machine;
  const made: string[] = [];
  try {
    ensureDir(dir, 0o755);
    if (bytes !== undefined) {
      await makeImage(image, bytes, draft, signal);
      made.push(image);
    }
    writeFileAtomic(configPath, textOf([...wanted, ['MACHINE', pinned]]), 0o644, { durable: true });
    made.push(configPath);
    return await registerMachine(fleet, name, configPath, dirname(configPath));
  } catch (error) {
    for (const path of made) removeIfExists(path);
    throw error;
  }
}

type Settings = readonly (readonly [key: string, value: string])[];

/** Given settings override those of a preset. */
function overPreset(preset: OsPreset | undefined, given: Settings): Settings {
  const set = new Set(given.map(([key]) => key));
  return [...(preset?.settings ?? []).filter(([key]) => !set.has(key)), ...given];
}

function textOf(settings: Settings): string {
  return settings.reduce((text, [key, value]) => setKey(text, key, value), renderTemplate());
}

function check(
  settings: Settings,
  { path, etcDir }: { readonly path: string; readonly etcDir: string },
  defaults: { readonly path: string; readonly text: string } | undefined,
): MachineConfig {
  const { config, issues } = parseMachineConfig(textOf(settings), { path, defaults, etcDir });
  if (config) return config;
  // The file is not created, so its line numbers would mean nothing: the given settings are wrong.
  const given = new Map(settings.map(([key, value]) => [key, `${key}=${value}`]));
  const shown = issues.map((issue): Problem => {
    const word = issue.file === path ? given.get(issue.key ?? '') : undefined;
    return word === undefined
      ? issue
      : { ...issue, file: undefined, line: undefined, message: `${word}: ${issue.message}` };
  });
  throw new ConfigError(`Cannot create "${path}"`, shown);
}

/**
 * Creates an image that only the machine's user can access, by running qemu-img as that user: the machine's QEMU could
 * not use an image of root.
 */
async function makeImage(
  path: string,
  bytes: number,
  config: MachineConfig,
  signal: AbortSignal | undefined,
): Promise<void> {
  const isRoot = process.getuid?.() === 0;
  const user =
    config.runAs === undefined || !isRoot
      ? undefined
      : ((await ensureOwnUser(config)) ?? (await findUser(config.runAs)));
  makeFile(path, user);
  const call = ['create', '-q', '-f', 'qcow2', path, String(bytes)];
  const options = { timeoutMs: IMAGE_MS, signal };
  let result = await runQemuImg(call, { ...options, prefix: runAsPrefix(user) });
  // A folder above may be closed to that user.
  if (user && result.exitCode !== 0) result = await runQemuImg(call, { ...options, prefix: [] });
  if (result.exitCode === 0) return;
  removeIfExists(path);
  const [reason = ''] = result.stderr.trim().split('\n');
  throw new QemuError('QEMU_COMMAND_FAILED', `Cannot create a disk image of ${renderSize(bytes)}: ${reason}`);
}

/**
 * Bytes of a size as typed. A small number without a unit is refused: RAM=8 means 8 MiB, qemu-img would take 8 as
 * bytes, and probably 8 GiB are meant.
 *
 * @throws {QemuError} `QEMU_COMMAND_FAILED`
 */
function sizeOfDisk(text: string): number {
  const isBare = /^\d+$/.test(text);
  const bytes = isBare ? Number(text) : parseSize(text);
  if (bytes !== undefined && Number.isSafeInteger(bytes) && bytes >= LEAST_DISK) return bytes;
  const hint = isBare && bytes !== 0 ? `did you mean ${text}G?` : 'a number with K, M, G or T, such as 8G';
  throw new QemuError('QEMU_COMMAND_FAILED', `"${text}" is not a valid disk size`, { hint });
}

/** Less than a floppy disk has. */
const LEAST_DISK = 1024 ** 2;

function makeFile(path: string, user: User | undefined): void {
  let file: number | undefined;
  try {
    file = openSync(path, 'wx', 0o600);
    if (user) fchownSync(file, user.uid, user.gid);
  } catch (error) {
    throw fileError('make', path, error);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** Creating an image takes milliseconds, though longer on some network file systems. */
const IMAGE_MS = 60_000;
