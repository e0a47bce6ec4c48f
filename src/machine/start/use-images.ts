import { ConfigError } from '../../base/config-error.ts';
import { errorCode, QemuError } from '../../base/errors.ts';
import type { MachineConfig } from '../../config/types.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { writeImageMemory } from '../storage/image-memory.ts';
import type { FoundImages } from '../storage/images.ts';
import type { RunAs } from './run-as.ts';
import { takeOverImages } from './take-over.ts';

/**
 * Refuses images that the host or another machine uses. Warnings go to the host's `notify`.
 *
 * @throws {ConfigError} with all of them.
 */
export function refuseStorageInUse(host: MachineContext, config: MachineConfig): void {
  const issues = host.storageInUse(config);
  if (issues.some(({ severity }) => severity === 'error')) throw new ConfigError(`Cannot use "${config.path}"`, issues);
  for (const { message } of issues) host.notify({ level: 'warning', machine: config.longName, message });
}

/** Before the guest has them: it must not be the first to say what its disks are. */
export function noteImages(host: MachineContext, target: MachineRef, { memory }: Pick<FoundImages, 'memory'>): void {
  try {
    writeImageMemory(host.paths, target.longName, memory);
  } catch (error) {
    if (!(error instanceof QemuError)) throw error;
    const message = `cannot record the formats of the images in "${host.paths.imagesDir}" (${errorCode(error.cause) ?? error.message})`;
    host.notify({ level: 'warning', machine: target.longName, message });
  }
}

/** Gives a machine's own user the images that it is to have. */
export function claimImages(host: MachineContext, config: MachineConfig, user: RunAs | undefined): void {
  if (!config.ownUser || !user) return;
  takeOverImages(config, user, host.otherWithDisk(config), (message) =>
    host.notify({ level: 'debug', machine: config.longName, message }),
  );
}
