import { lstatSync } from 'node:fs';
import { QemuError } from '../../base/errors.ts';
import { quote } from '../../base/text.ts';
import type { DiskConfig } from '../../config/device-config.ts';
import { shellCommand } from '../../config/text/shell-words.ts';
import type { User } from '../../system/users.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { giveFile } from '../start/give-file.ts';
import { diskChain } from '../storage/disk-chain.ts';
import type { DiskLayer, DiskNow } from './disk-layer.ts';
import { isSameFile } from './same-file.ts';

/**
 * A disk of a machine that runs, with the files and formats of its layers as its images on this host have them. Those are
 * what is removed and what the machine's file names: a QEMU that its guest has captured could report any file there.
 *
 * @throws {QemuError} `QEMU_MACHINE_STATE` when QEMU reports others.
 */
export function hostLayers(host: MachineContext, target: MachineRef, disk: DiskConfig, now: DiskNow): DiskNow {
  const { layers, problems } = diskChain(host.paths, target.longName, disk);
  const images = layers.filter(({ role }) => role === 'image' || role === 'backing');
  const isSame =
    problems.length === 0 &&
    images.length === now.layers.length &&
    now.layers.every(({ file, format }, at) => {
      const image = images[at];
      return image !== undefined && image.format === format && isSameFile(image.file, file);
    });
  if (!isSame) throw differs(target, now);
  const named = now.layers.map((layer, at): DiskLayer => ({ ...layer, file: images[at]?.file ?? layer.file }));
  const [top = now.layers[0], ...below] = named;
  return { ...now, layers: [top, ...below] };
}

function differs({ longName }: MachineRef, { key, layers }: DiskNow): QemuError {
  const reported = layers.map(({ file, format }) => `${quote(file)} (${quote(format)})`).join(', ');
  return new QemuError(
    'QEMU_MACHINE_STATE',
    `${key} of machine "${longName}" does not rest on what its QEMU reports: ${reported}`,
    { hint: `see what its images name: ${shellCommand('qemu-init', 'explain', longName)}` },
  );
}

/**
 * What QEMU's user writes into the header of an image leads to nothing that is not that user's: such a file stays.
 *
 * @param user that QEMU runs as; undefined: the caller.
 * @throws {QemuError} `QEMU_NOT_PERMITTED`
 */
export function requireOwn(key: string, layers: readonly DiskLayer[], user: User | undefined): void {
  if (user === undefined) return;
  const found = layers.find(({ file }) => {
    const owner = lstatSync(file, { throwIfNoEntry: false })?.uid;
    return owner !== undefined && owner !== user.uid;
  });
  if (found === undefined) return;
  throw new QemuError(
    'QEMU_NOT_PERMITTED',
    `Cannot collapse ${key}: "${found.file}" would be removed, but does not belong to user "${user.name}"`,
    { hint: giveFile(found.file, { user: user.name }, false) },
  );
}
