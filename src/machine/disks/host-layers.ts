import { isAbsolute } from 'node:path';
import { QemuError } from '../../base/errors.ts';
import { quote } from '../../base/text.ts';
import type { DiskConfig } from '../../config/device-config.ts';
import { shellCommand } from '../../config/text/shell-words.ts';
import type { MachineContext, MachineRef } from '../context.ts';
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
      // QEMU has its own spelling of what is not a file of this host, and nothing of that is ever removed.
      return image?.format === format && (image.isRemote ? !isAbsolute(file) : isSameFile(image.file, file));
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
