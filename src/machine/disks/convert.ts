import { extname } from 'node:path';
import { QemuError } from '../../base/errors.ts';
import type { MachineConfig } from '../../config/types.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { diskChain } from '../storage/disk-chain.ts';
import { chosenDisk } from './chosen-disk.ts';
import { type MirrorOptions, mirrorDisk } from './mirror.ts';
import type { MoveResult } from './move-result.ts';

/**
 * Lets a disk go on in a copy of another format, beside the old image and with the ending of the format; the old image
 * stays.
 *
 * @throws as {@link mirrorDisk}; {@link QemuError} `QEMU_USAGE` for a disk that is of that format.
 */
export async function convertDisk(
  host: MachineContext,
  target: MachineRef,
  config: MachineConfig,
  { key, format, file }: { readonly key: string; readonly format: 'qcow2' | 'raw'; readonly file?: string | undefined },
  options: Omit<MirrorOptions, 'format'> = {},
): Promise<MoveResult> {
  const disk = chosenDisk(config, key);
  const now = diskChain(host.paths, config.longName, disk).layers[0]?.format;
  if (now === format) throw new QemuError('QEMU_USAGE', `DSK${disk.index} is ${format} already`);
  const copy = file ?? `${withoutEnding(disk.file)}.${format === 'raw' ? 'img' : format}`;
  return mirrorDisk(host, target, config, { key, file: copy }, { ...options, format });
}

const ENDINGS = new Set('.img .image .raw .qcow .qcow2 .qed .vmdk .vdi .vhd .vhdx .vpc .hdd'.split(' '));

function withoutEnding(file: string): string {
  const ending = extname(file);
  return ENDINGS.has(ending.toLowerCase()) ? file.slice(0, -ending.length) : file;
}
