import { ConfigError } from '../../base/config-error.ts';
import { QemuError } from '../../base/errors.ts';
import { addRegistryEntry } from '../../config/registry.ts';
import { renderMachineConfig } from '../../config/render-machine.ts';
import type { MachineConfig } from '../../config/types.ts';
import { NO_SLOT } from '../../machine/allocation.ts';
import { buildArgs } from '../../machine/argv/build.ts';
import type { Tried } from '../../machine/check/try-processor.ts';
import type { MachineContext, MachineRef } from '../../machine/context.ts';
import { inspectMachineConfig, inspectText } from '../../machine/load-config.ts';
import { readMove } from '../../machine/move/move-record.ts';
import { describeMove } from '../../machine/move/refuse-moved.ts';
import { isProcessorCertain, processorDifference } from '../../machine/move/same-processor.ts';
import { locate } from '../../machine/run/locate.ts';
import { makeRequest } from '../../machine/start/launch-request.ts';
import { inspectHost, prepare } from '../../machine/start/prepare.ts';
import { hardwareNow } from '../../machine/state/hardware-now.ts';
import { hardwareDifferences } from '../../machine/state/saved-differences.ts';
import { savedImages } from '../../machine/state/saved-facts.ts';
import { isSaved } from '../../machine/state/saved-folder.ts';
import type { SavedImage } from '../../machine/state/saved-record.ts';
import type { FoundDisk } from '../../machine/storage/images.ts';
import { isThere, readTextIfExists } from '../../system/files/files.ts';
import { nicProblems } from '../check/host/network-findings.ts';
import { macIssues } from '../macs.ts';
import { arrivingDisks, roomProblems, withNewDisks } from './copied-cfg.ts';
import type { MoveOffer } from './move-offer.ts';
import { sharedImages, sharingProblems, wayOut } from './shared-disks.ts';

/** A place that a machine has come from, and that still has it registered. */
export function wasHere({ files }: MachineRef): string | undefined {
  const noted = readMove(files);
  if (noted === undefined || noted === 'damaged') return undefined;
  return noted.role === 'source' && noted.phase === 'handed-over' ? noted.peer : undefined;
}

/**
 * Whether the machine is registered at its destination all the time, as the nodes of a cluster have it: it stays registered
 * where it comes from, and its file there says the same.
 */
export function isKnownHere({ paths }: MachineContext, target: MachineRef, { cfg, keepConfig }: MoveOffer): boolean {
  const { configPath, shortName } = target;
  if (!keepConfig || shortName === undefined || !isThere(configPath)) return false;
  const here = inspectMachineConfig(configPath, paths.defaultsFile).config;
  const sent = inspectText(configPath, cfg, paths.defaultsFile).config;
  return here !== undefined && sent !== undefined && renderMachineConfig(here) === renderMachineConfig(sent);
}

/** The machine as it would be at the destination; its file need not be there yet. @throws {ConfigError} */
export function configThere(host: MachineContext, target: MachineRef, offer: MoveOffer): MachineConfig {
  const { configPath } = target;
  const { defaultsFile } = host.paths;
  const { config, issues } =
    wasHere(target) === undefined && !isKnownHere(host, target, offer)
      ? inspectText(configPath, offer.cfg, defaultsFile)
      : inspectMachineConfig(configPath, defaultsFile);
  if (config === undefined) throw new ConfigError(`Cannot use "${configPath}"`, issues);
  return config;
}

/** With the addresses that the guest knows. */
export function withMacs(config: MachineConfig, { macs }: MoveOffer): MachineConfig {
  const known = new Map(macs);
  return { ...config, nics: config.nics.map((nic) => ({ ...nic, mac: nic.mac ?? known.get(nic.index) })) };
}

/** All that is in the way of a guest at its destination. Changes nothing. */
export async function checkOffer(
  host: MachineContext,
  target: MachineRef,
  offer: MoveOffer,
  signal: AbortSignal | undefined,
): Promise<readonly string[]> {
  const disks = arrivingDisks(target, offer.disks);
  const names = [...nameProblems(host, target, offer), ...keptProblems(host, target, offer), ...roomProblems(disks)];
  let config: MachineConfig;
  try {
    config = withNewDisks(withMacs(configThere(host, target, offer), offer), disks);
  } catch (error) {
    return [...names, ...messagesOf(error)];
  }
  const quiet: MachineContext = { ...host, notify: () => {} };
  // Images that are still to be made cannot be looked at.
  const looked = disks.length === 0 ? config : { ...config, disks: [] };
  const found = [...(await inspectHost(quiet, looked, target.files)), ...host.storageInUse(config)];
  const network = nicProblems(config, host.paths);
  const errors = [...found, ...macIssues(host.paths, config)].filter(({ severity }) => severity === 'error');
  const messages = [...errors, ...network].map(({ message }) => message);
  const problems = [...names, ...messages, ...diskProblems(host, config, offer)];
  if (offer.sourceRecord === undefined && problems.length === 0) {
    const there = savedImages(host.paths, config);
    problems.push(...(await sharingProblems(config, { images: sharedImages(offer), there }, signal)));
  }
  if (errors.length > 0) return problems;
  try {
    const ready = await prepare(quiet, looked, target.files, signal);
    const prepared = disks.length === 0 ? ready : { ...ready, images: { ...ready.images, disks: newImages(config) } };
    const request = await makeRequest(quiet, target, config, prepared, NO_SLOT, { lease: false });
    const here = { ...hardwareNow(config, prepared, request), hasComparedCpus: offer.features !== undefined };
    const differences = hardwareDifferences(offer.hardware, here);
    if (differences.length === 0) {
      const { binary, accelerator } = request;
      const { qemuVersion } = here;
      const now = { config, binary, accelerator, args: buildArgs(request), qemuVersion };
      differences.push(...(await processorProblems(offer, now, signal)));
    }
    return [...problems, ...differences.map((each) => `its hardware would differ: ${each}`)];
  } catch (error) {
    return [...problems, ...messagesOf(error)];
  }
}

/** What a guest knows of its processor must not go away under it. */
async function processorProblems(
  { features, hardware }: MoveOffer,
  now: Omit<Tried, 'machineType'> & { readonly qemuVersion: string },
  signal: AbortSignal | undefined,
): Promise<string[]> {
  if (features === undefined || isProcessorCertain(hardware, now)) return [];
  const { triedFeatures } = await import('../../machine/check/try-processor.ts');
  const after = await triedFeatures({ ...now, machineType: hardware.machineType }, signal);
  // The QEMU that waits for the guest is asked again.
  const difference = after && processorDifference(new Map(features), after);
  return difference === undefined ? [] : [difference];
}

/** Its file there names the disks that it had when it left. */
function keptProblems(host: MachineContext, target: MachineRef, offer: MoveOffer): string[] {
  if (offer.disks.length === 0) return [];
  if (wasHere(target) === undefined && !isKnownHere(host, target, offer)) return [];
  const { longName } = target;
  return [`"${longName}" is registered there with disks of its own: delete it there, or leave out --copy-disks`];
}

/** As they will be found. */
function newImages({ disks }: MachineConfig): FoundDisk[] {
  return disks.map((disk) => {
    const image = { file: disk.file, format: disk.format ?? 'raw' };
    return { disk, image, chain: { layers: [], problems: [] } };
  });
}

function nameProblems(host: MachineContext, target: MachineRef, offer: MoveOffer): string[] {
  const { paths } = host;
  const { longName, shortName, configPath, files } = target;
  if (locate(files).kind === 'alive') return [`a machine "${longName}" is running there`];
  if (isSaved(files)) return [`a machine "${longName}" has a saved state there`];
  if (wasHere(target) !== undefined) return [];
  const noted = readMove(files);
  if (noted !== undefined) return [`there is a machine "${longName}": ${describeMove(noted)}`];
  if (isKnownHere(host, target, offer)) return [];
  if (offer.keepConfig && shortName !== undefined && isThere(configPath)) {
    return [`its file "${configPath}" does not say the same there as here`];
  }
  const taken = isThere(configPath) ? [`"${configPath}" exists already`] : [];
  try {
    addRegistryEntry(readTextIfExists(paths.registryFile) ?? '', shortName ?? longName, longName);
    return taken;
  } catch (error) {
    return [...taken, ...messagesOf(error)];
  }
}

/** What is not copied has to be the same files. */
function diskProblems({ paths }: MachineContext, config: MachineConfig, offer: MoveOffer): string[] {
  const there = savedImages(paths, config);
  return sharedImages(offer).flatMap(({ key, layers }) => {
    const found = there.find((image) => image.key === key);
    if (found !== undefined && isSame(layers, found.layers)) return [];
    const [top] = layers;
    return [`${key} "${top?.path ?? ''}" is not the same file there: ${wayOut(key)}`];
  });
}

/** The guest writes to them meanwhile, so that size and time may differ. */
function isSame(here: SavedImage['layers'], there: SavedImage['layers']): boolean {
  return (
    here.length === there.length &&
    here.every((layer, at) => {
      const other = there[at];
      return other !== undefined && layer.format === other.format && layer.file?.inode === other.file?.inode;
    })
  );
}

/** What is wrong, of errors that say that something is; others are thrown on. */
export function messagesOf(error: unknown): string[] {
  if (error instanceof ConfigError) {
    return error.issues.filter(({ severity }) => severity === 'error').map(({ message }) => message);
  }
  if (error instanceof QemuError && error.code !== 'QEMU_ABORTED') return [error.message];
  throw error;
}
