import { randomUUID } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { ConfigError } from '../../base/config-error.ts';
import { QemuError } from '../../base/errors.ts';
import type { DiskConfig } from '../../config/device-config.ts';
import { renderMachineConfig } from '../../config/render-machine.ts';
import type { MachineConfig } from '../../config/types.ts';
import type { MachineManager } from '../../fleet/machine-manager.ts';
import { readConfigText } from '../../machine/config-text.ts';
import type { MachineRef } from '../../machine/context.ts';
import { storeOf } from '../../machine/start/firmware.ts';
import { type FoundImages, findImages } from '../../machine/storage/images.ts';
import type { ImageLayer } from '../../system/images/image-chain.ts';
import { machinePaths } from '../../system/paths.ts';
import { trustPath } from '../../system/trust/trusted-path.ts';
import { checkDraft, withSettings } from '../draft.ts';
import { claimName } from '../new-files.ts';
import { type SeedOptions, seedFolder, wantsSeed } from '../seed/seed-folder.ts';
import type { Settings } from '../short-options.ts';
import type { PortClaims } from '../ssh-port.ts';
import { type CloneSeed, cloneSeed, withNewMachineId } from './clone-seed.ts';
import { cloneText } from './clone-text.ts';

/** How to clone a machine. */
export interface CloneRequest {
  readonly name: string;
  /** The disks become overlays of a common base. */
  readonly isLinked: boolean;
  /** Absolute folder for all new files; undefined: those of the source. */
  readonly dir: string | undefined;
  /** Keys that are otherwise than in the source; paths are absolute. */
  readonly settings: Settings;
  /** In place of the source's data for cloud-init. */
  readonly seed: SeedOptions | undefined;
  /** Chooses its ports of this host. */
  readonly claims: PortClaims;
}

/** A disk of the clone. */
export interface ClonedDisk {
  readonly disk: DiskConfig;
  readonly format: string;
  readonly sizeBytes: number;
  readonly path: string;
  /** What it is going to be an overlay of. */
  readonly base?: string | undefined;
  /** What that rests on. */
  readonly below?: readonly string[] | undefined;
  /** All files of the disk that is copied. */
  readonly layers: readonly ImageLayer[];
}

/** A clone that can be made. */
export interface ClonePlan {
  readonly configPath: string;
  readonly text: string;
  readonly draft: MachineConfig;
  readonly disks: readonly ClonedDisk[];
  readonly diskDir: string;
  readonly seed: { readonly path: string; readonly files: CloneSeed } | undefined;
  /** Variables of the firmware. */
  readonly variables: { readonly from: string; readonly to: string } | undefined;
  /** New ports of this host, by the old ones. */
  readonly ports: ReadonlyMap<number, number>;
}

/**
 * Works out a clone. Nothing is made.
 *
 * @throws {ConfigError} when the source's file has mistakes, or its images cannot be used.
 * @throws {QemuError} `QEMU_IO` when a file exists, `QEMU_USAGE`, `QEMU_NOT_PERMITTED`.
 */
export async function planClone(
  fleet: MachineManager,
  source: MachineRef,
  config: MachineConfig,
  request: CloneRequest,
): Promise<ClonePlan> {
  const { name, settings } = request;
  const { paths } = fleet.host;
  const dir = request.dir ?? dirname(source.configPath);
  trustPath(dir);
  const configPath = join(dir, `${name}-qemu.cfg`);
  claimName(configPath);
  const found = findImages(paths, config);
  const errors = found.issues.filter(({ severity, key }) => severity === 'error' && key?.startsWith('DSK'));
  if (errors.length > 0) throw new ConfigError(`Cannot clone "${source.longName}"`, errors);
  const written = found.disks.filter(({ disk }) => !disk.readonly && !disk.snapshot);
  const diskDir = request.dir ?? commonFolder(written.map(({ disk }) => disk)) ?? dir;
  trustPath(diskDir);
  const disks = written.map((each, at) => clonedDisk(each, at, diskDir, request));
  refuseSettings(source, request, disks);
  const ports = await newPorts(request.claims, config);
  const variables = clonedVariables(fleet, source, config, name);
  const seedPath = hasSeed(config, request) ? join(dir, `${name}.seed`) : undefined;
  for (const path of [
    ...disks.map((disk) => disk.path),
    ...(seedPath === undefined ? [] : [seedPath]),
    ...(variables ? [variables.to] : []),
  ]) {
    claimName(path);
  }
  const cloned = cloneText(sourceText(fleet, source, config, dir), config, {
    ...{ name, dir, uuid: randomUUID(), generationId: randomUUID(), disks, ports },
    firmwareVariables: config.firmwareVariables === undefined ? undefined : variables?.to,
    cloudInit: seedPath,
  });
  const text = withSettings(cloned, settings);
  const draft = checkDraft(paths, configPath, text, settings);
  const files = seedPath === undefined ? undefined : seedOf(config, request, draft);
  const seed = seedPath === undefined || files === undefined ? undefined : { path: seedPath, files };
  return { configPath, text, draft, disks, diskDir, seed, variables, ports };
}

/** @throws {QemuError} `QEMU_USAGE` for keys that the clone has from its source. */
function refuseSettings(
  { longName }: MachineRef,
  { settings, seed }: CloneRequest,
  disks: readonly ClonedDisk[],
): void {
  for (const [key] of settings) {
    if (disks.some(({ disk }) => key === `DSK${disk.index}`)) {
      throw new QemuError('QEMU_USAGE', `${key} is a disk of "${longName}", which is copied`, {
        hint: 'use another number for another disk',
      });
    }
    if (key === 'CLOUDINIT' && wantsSeed(seed)) {
      throw new QemuError('QEMU_USAGE', 'Both CLOUDINIT= and options for cloud-init were given');
    }
  }
}

function hasSeed(config: MachineConfig, { settings, seed }: CloneRequest): boolean {
  return wantsSeed(seed) || (config.cloudInit !== undefined && !settings.some(([key]) => key === 'CLOUDINIT'));
}

function seedOf(config: MachineConfig, { seed }: CloneRequest, draft: MachineConfig): CloneSeed {
  if (wantsSeed(seed)) return withNewMachineId(seedFolder(seed, draft));
  return cloneSeed(config, { uuid: draft.uuid, name: draft.name });
}

/** A file elsewhere needs absolute paths; one in JSON becomes a cfg file. */
function sourceText(fleet: MachineManager, source: MachineRef, config: MachineConfig, dir: string): string {
  if (source.configPath.endsWith('.json') || dir !== dirname(source.configPath)) {
    return renderMachineConfig(config, fleet.inspect(source).cleared);
  }
  const read = readConfigText(source.configPath);
  if ('text' in read) return read.text;
  throw new ConfigError(`Cannot clone "${source.longName}"`, [read.issue], { cause: read.cause });
}

/** The folder that all of these images are in; undefined if they are in several, or are devices. */
function commonFolder(disks: readonly DiskConfig[]): string | undefined {
  const folders = new Set(disks.map(({ file }) => dirname(file)));
  const [only] = folders;
  return folders.size === 1 && only !== undefined && !only.startsWith('/dev') ? only : undefined;
}

function clonedDisk(
  { disk, chain }: FoundImages['disks'][number],
  at: number,
  dir: string,
  { name, isLinked }: CloneRequest,
): ClonedDisk {
  const key = `DSK${disk.index}`;
  const [top] = chain.layers;
  if (top === undefined) throw new QemuError('QEMU_IO', `Cannot read ${key} "${disk.file}"`);
  const isEncrypted = chain.layers.some(({ format, detail }) => format === 'luks' || detail.encryption !== undefined);
  if (isEncrypted) {
    throw new QemuError('QEMU_USAGE', `${key} is encrypted, and its copy would not be`, {
      hint: 'copy the image while the machine does not run, and create a machine with the same key=',
    });
  }
  const file = at === 0 ? `${name}.qcow2` : `${name}-${at + 1}.qcow2`;
  const sizeBytes = top.detail.virtualSizeBytes ?? top.stats?.size ?? 0;
  const { layers } = chain;
  const common = { disk, format: top.format, sizeBytes, path: join(dir, file), layers };
  if (!isLinked) return common;
  if (top.format !== 'qcow2') {
    throw new QemuError('QEMU_USAGE', `${key} is ${top.format}; only qcow2 disks can have a common base`, {
      hint: `leave out --linked, or convert it: qemu-init disk convert`,
    });
  }
  // Whoever could exchange the base could change what the guests run, and lead root elsewhere while it makes that.
  for (const each of [disk.file, realpathSync(disk.file)]) trustPath(dirname(each));
  const stem = join(dirname(disk.file), basename(disk.file, extname(disk.file)));
  const below = layers.flatMap(({ depth, isRemote, file: each }) => (depth > 0 && !isRemote ? [each] : []));
  return { ...common, below, base: `${stem}-base-${randomUUID().slice(0, 8)}.qcow2` };
}

/** The variables of a machine are part of its disks: the entries that its firmware boots are in them. */
function clonedVariables(
  fleet: MachineManager,
  source: MachineRef,
  config: MachineConfig,
  name: string,
): ClonePlan['variables'] {
  const named = config.firmwareVariables;
  if (named !== undefined) return { from: named, to: join(dirname(named), `${name}-vars${extname(named)}`) };
  const store = storeOf(config, source.files);
  if (store === undefined) return undefined;
  const { stateDir } = machinePaths(fleet.host.paths, name);
  return { from: store.oldFile ?? store.file, to: join(stateDir, basename(store.file)) };
}

async function newPorts(claims: PortClaims, { nics }: MachineConfig): Promise<ReadonlyMap<number, number>> {
  const ports = new Map<number, number>();
  for (const { hostPort } of nics.flatMap(({ hostForwards }) => hostForwards)) {
    if (ports.has(hostPort)) continue;
    ports.set(hostPort, await claims.choose(hostPort + 1));
  }
  return ports;
}

/** Absolute path of a folder as given. */
export function folderOf(dir: string | undefined, cwd: string): string | undefined {
  return dir === undefined ? undefined : resolve(cwd, dir);
}
