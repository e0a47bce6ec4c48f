import { randomUUID } from 'node:crypto';
import { dirname, join, resolve } from 'node:path';
import { QemuError } from '../base/errors.ts';
import type { LongWorkOptions } from '../base/progress.ts';
import { renderTemplate } from '../config/template.ts';
import { isValidName, NAME_RULE } from '../config/text/names.ts';
import { renderOptionList } from '../config/text/option-list.ts';
import type { MachineConfig } from '../config/types.ts';
import type { MachineManager } from '../fleet/machine-manager.ts';
import { type Registration, registerMachine } from '../fleet/register.ts';
import type { MachineRef } from '../machine/context.ts';
import { ensureOwnUser } from '../machine/start/own-user.ts';
import { ensureDir, isThere } from '../system/files/files.ts';
import { probeQemu } from '../system/probe/qemu-probe.ts';
import { trustPath } from '../system/trust/trusted-path.ts';
import { findUser, type User } from '../system/users.ts';
import { sizeOfDisk } from './disks/disk-size.ts';
import { fillDisk, type PlannedDisk, planDisks } from './disks/plan-disks.ts';
import { checkDraft, withSettings } from './draft.ts';
import { ImageStore, isUrl, parseImageUrl } from './images/image-store.ts';
import { claimName, NewFiles } from './new-files.ts';
import { type OsPreset, osPreset } from './os-preset.ts';
import { type SeedOptions, seedFolder, wantsSeed } from './seed/seed-folder.ts';
import { type Settings, type ShortOptions, shortSettings } from './short-options.ts';
import { FIRST_SSH_PORT, PortClaims } from './ssh-port.ts';

/** How to create a machine. */
export interface CreateOptions extends LongWorkOptions {
  /** Keys of its file and their values, as written there. */
  readonly settings?: Settings | undefined;
  /** Options that stand for keys. */
  readonly short?: ShortOptions | undefined;
  /**
   * Sizes of its new disks: a number of bytes, or with K, M, G or T, such as `8G`. The first one is that of the disk of
   * `image`, if there is one.
   */
  readonly disks?: readonly string[] | undefined;
  /** What the first new disk begins with: a file, a name in the store of images, or an address that is fetched. */
  readonly image?: string | undefined;
  /** The disks are overlays of `image`, which must stay as it is, or of those of `from`, and not copies. */
  readonly linked?: boolean | undefined;
  /** Data for cloud-init. */
  readonly seed?: SeedOptions | undefined;
  /**
   * System whose preset the file begins with, such as `windows11`: see {@link osPreset}. `settings` override it.
   */
  readonly os?: string | undefined;
  /** A machine that it is to be a clone of, with other settings; it may run. Not with `image`, `os` and `disks`. */
  readonly from?: MachineRef | undefined;
  /** Folder for the files (default: that of the scope). */
  readonly dir?: string | undefined;
  /** Folder that relative paths start from (default: the working folder). */
  readonly cwd?: string | undefined;
}

/**
 * Creates the file of a new machine from the template, its disks and the data for cloud-init, and registers it. Its
 * MACHINE is pinned to the present versioned type, so that the guest's board does not change when QEMU is upgraded.
 * Nothing is overwritten, and when anything fails nothing is left; what the host does not have yet, such as the image
 * of a CD, does not prevent it, and is returned.
 *
 * @throws {ConfigError} for keys or values that are wrong.
 * @throws {QemuError} `QEMU_USAGE` for an invalid name or a system without a preset, `QEMU_IO` when a file of that
 * name exists or the image cannot be used, `QEMU_CONFIG_INVALID` when the name is taken, `QEMU_NOT_INSTALLED` without
 * QEMU, `QEMU_COMMAND_FAILED` when a disk cannot be created, `QEMU_NOT_PERMITTED`, `QEMU_ABORTED`.
 */
export async function createMachine(
  fleet: MachineManager,
  name: string,
  options: CreateOptions = {},
): Promise<Registration> {
  const ports = new PortClaims(fleet);
  try {
    return await makeMachine(fleet, name, await planMachine(fleet, name, options, ports), options);
  } finally {
    ports.release();
  }
}

async function makeMachine(
  fleet: MachineManager,
  name: string,
  { dir, configPath, text, draft, disks, seedFiles }: MachinePlan,
  { signal, onProgress }: CreateOptions,
): Promise<Registration> {
  const probe = await probeQemu(draft.targetArch, fleet.host.paths.probesDir, { signal });
  const pinned = probe.machines.get(draft.machine) ?? draft.machine;
  const files = new NewFiles();
  try {
    ensureDir(dir, 0o755);
    const user = disks.length === 0 ? undefined : await ownerOf(draft);
    for (const disk of disks) await fillDisk(files, disk, { user, signal, onProgress });
    if (seedFiles) files.folder(join(dir, seedName(name)), seedFiles);
    files.text(configPath, withSettings(text, [['MACHINE', pinned]]), 0o644);
    await files.commit();
    return await registerMachine(fleet, name, configPath, dirname(configPath));
  } catch (error) {
    files.undo();
    throw error;
  }
}

/** A machine that can be made: everything that was asked for has been looked at. */
interface MachinePlan {
  readonly dir: string;
  readonly configPath: string;
  readonly text: string;
  readonly draft: MachineConfig;
  readonly disks: readonly PlannedDisk[];
  readonly seedFiles: ReadonlyMap<string, string | Uint8Array> | undefined;
}

async function planMachine(
  fleet: MachineManager,
  name: string,
  options: CreateOptions,
  ports: PortClaims,
): Promise<MachinePlan> {
  const { cwd = process.cwd(), seed, short = {} } = options;
  const preset = options.os === undefined ? undefined : osPreset(options.os);
  const given = options.settings ?? [];
  const network = await withNetwork(options, ports);
  const settingsWith = (iso: string | undefined): Settings =>
    overPreset(preset, [...given, ...shortSettings({ ...network, iso }, given, cwd)]);
  const sizes = (options.disks ?? []).map(sizeOfDisk);
  refuseName(name);
  const { paths } = fleet.host;
  const dir = options.dir === undefined ? paths.etcDir : resolve(cwd, options.dir);
  // Others could exchange the new files before they are used.
  trustPath(dir);
  const configPath = join(dir, `${name}-qemu.cfg`);
  const seedDir = join(dir, seedName(name));
  for (const path of [configPath, ...(wantsSeed(seed) ? [seedDir] : [])]) claimName(path);
  // Before anything is fetched.
  checkDraft(paths, configPath, withSettings(renderTemplate(), settingsWith(short.iso)), settingsWith(short.iso));
  const find = async (image: string | undefined): Promise<string | undefined> =>
    image === undefined ? undefined : findImage(fleet, image, cwd, options);
  const settings = settingsWith(await find(short.iso));
  const firstIndex = settings.filter(([key]) => key.startsWith('DSK')).length + 1;
  const disks = await planDisks({
    ...{ dir, name, firstIndex, sizes, signal: options.signal },
    image: await find(options.image),
    isLinked: options.linked === true,
  });
  for (const { path } of disks) claimName(path);
  const wanted: Settings = [
    ...settings,
    ...disks.map((disk): Settings[number] => [disk.key, diskValue(disk, preset)]),
    ...(wantsSeed(seed) ? seedSettings(seedName(name), settings) : []),
  ];
  const text = withSettings(renderTemplate(), wanted);
  const draft = checkDraft(paths, configPath, text, wanted);
  return { dir, configPath, text, draft, disks, seedFiles: wantsSeed(seed) ? seedFolder(seed, draft) : undefined };
}

/** Name of the folder with the data for cloud-init, next to the machine's file. */
export function seedName(longName: string): string {
  return `${longName}.seed`;
}

/** @throws {QemuError} `QEMU_USAGE` */
export function refuseName(name: string): void {
  if (isValidName(name)) return;
  throw new QemuError('QEMU_USAGE', `"${name}" is not a valid name for a machine`, { hint: NAME_RULE });
}

/** The path of an image: a file, or one of the store, which fetches what it does not have yet. */
export async function findImage(
  fleet: MachineManager,
  image: string,
  cwd: string,
  options: LongWorkOptions,
): Promise<string> {
  const path = resolve(cwd, image);
  if (!isUrl(image) && (image.includes('/') || isThere(path))) return path;
  const store = new ImageStore(fleet);
  const { sha256 } = parseImageUrl(image);
  const found = store.find(image);
  if (found && (sha256 === undefined || sha256.toLowerCase() === found.sha256)) return found.path;
  return isUrl(image) ? (await store.pull(image, options)).image.path : path;
}

/** Given settings override those of a preset. */
function overPreset(preset: OsPreset | undefined, given: Settings): Settings {
  const set = new Set(given.map(([key]) => key));
  return [...(preset?.settings ?? []).filter(([key]) => !set.has(key)), ...given];
}

/** A guest that somebody is to log in to needs a way to it. */
async function withNetwork(
  { short = {}, settings = [], seed }: CreateOptions,
  ports: PortClaims,
): Promise<ShortOptions> {
  const hasOwn = short.bridge !== undefined || settings.some(([key]) => /^NIC\d/.test(key));
  if (hasOwn || seed?.sshKey === undefined || (short.net ?? 'user') !== 'user') return short;
  return { ...short, net: 'user', sshPort: short.sshPort ?? (await ports.choose(FIRST_SSH_PORT)) };
}

/** cloud-init acts once for each instance: one that has the name of an earlier one must not be taken for it. */
function seedSettings(folder: string, settings: Settings): Settings {
  const hasUuid = settings.some(([key]) => key === 'UUID');
  return [['CLOUDINIT', folder], ...(hasUuid ? [] : [['UUID', randomUUID()] as const])];
}

function diskValue({ file, base }: PlannedDisk, preset: OsPreset | undefined): string {
  const options = [
    ['format', 'qcow2'],
    ['backing', base],
  ] as const;
  return `${renderOptionList(file, options)}${preset?.diskOptions ?? ''}`;
}

/** The user that the machine's QEMU runs as, if that is not the caller. */
export async function ownerOf(config: MachineConfig): Promise<User | undefined> {
  const isRoot = process.getuid?.() === 0;
  if (config.runAs === undefined || !isRoot) return undefined;
  return (await ensureOwnUser(config)) ?? (await findUser(config.runAs));
}
