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

/** How a machine is made. */
export interface CreateOptions {
  /** Keys of its file and their values, as they stand there. */
  readonly settings?: readonly (readonly [key: string, value: string])[] | undefined;
  /**
   * Makes a qcow2 image of that size, the machine's next disk: a number with K, M, G or T, such as `8G`, or of bytes.
   */
  readonly diskSize?: string | undefined;
  /**
   * System whose preset the file begins with, such as `windows11`: see {@link osPreset}. What `settings` says counts
   * more.
   */
  readonly os?: string | undefined;
  /** Folder for both files; the scope's own if not given. */
  readonly dir?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes the file of a new machine from the template, and registers it. Its MACHINE is pinned to the versioned type that
 * the name stands for today, so that the guest's board stays what it is when QEMU is upgraded. When anything fails
 * nothing is left; what the host does not have yet, such as the image of a CD, does not prevent it, and is returned.
 *
 * @throws {ConfigError} for keys or values that are wrong.
 * @throws {QemuError} `QEMU_USAGE` for a name that is none and a system without a preset, `QEMU_IO` when a file of that
 * name is there, `QEMU_CONFIG_INVALID` when the name is taken, `QEMU_NOT_INSTALLED` without QEMU, `QEMU_COMMAND_FAILED`
 * when the image cannot be made.
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
  // Others could exchange what is made there before it is used.
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

/** What was given counts more than what a preset has. */
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
  // Lines of a file that is not made help nobody: what is wrong is what was given.
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
 * Makes an image that belongs to the machine's user and is open to nobody else, by a qemu-img that is that user: an
 * image that root made would be of no use to its QEMU.
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
  // A folder on the way may be closed to that user now.
  if (user && result.exitCode !== 0) result = await runQemuImg(call, { ...options, prefix: [] });
  if (result.exitCode === 0) return;
  removeIfExists(path);
  const [reason = ''] = result.stderr.trim().split('\n');
  throw new QemuError('QEMU_COMMAND_FAILED', `Cannot create a disk image of ${renderSize(bytes)}: ${reason}`);
}

/**
 * Bytes of a size as it was typed. A small number without a unit is refused: RAM=8 is 8 MiB, qemu-img takes 8 for
 * bytes, and 8 GiB are meant.
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

/** A floppy disk has more. */
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

/** An image is made in milliseconds, though not on every network file system. */
const IMAGE_MS = 60_000;
