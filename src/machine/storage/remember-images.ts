import type { Problem } from '../../base/problem.ts';
import type { DiskConfig } from '../../config/device-config.ts';
import { shellCommand } from '../../config/text/shell-words.ts';
import type { MachineConfig } from '../../config/types.ts';
import type { ImageChain } from '../../system/images/image-chain.ts';
import { issueAt } from '../check/issues.ts';
import { type ImageMemory, isSameBase, type KnownBase, knownBase, knownDisk } from './image-memory.ts';

const MOST_REMEMBERED = 500;

/** Adds new bases, and reports those that changed. */
export function rememberImages(
  config: MachineConfig,
  disks: readonly { readonly disk: DiskConfig; readonly chain: ImageChain }[],
  before: ImageMemory,
  issues: Problem[],
): ImageMemory {
  const bases = new Map<string, KnownBase>();
  for (const { disk, chain } of disks) {
    for (const layer of chain.layers) {
      const now = layer.depth > 0 ? knownBase(layer) : undefined;
      if (now === undefined) continue;
      const known = before.bases.find(({ file }) => file === now.file);
      bases.set(now.file, known ?? now);
      if (known === undefined || isSameBase(known, now)) continue;
      const message = `DSK${disk.index} rests on "${now.file}", which has changed since it was first used (${changes(known, now)}): the overlay may no longer match it`;
      const hint = `if that was meant: ${shellCommand('qemu-init', 'register', config.longName)}`;
      issues.push({ ...issueAt(config, `DSK${disk.index}`, message, hint), severity: 'warning' });
    }
  }
  const current = disks.flatMap(({ chain }) => knownDisk(chain.layers));
  // A disk that is taken out may come back.
  const others = before.disks.filter((old) => !current.some((disk) => disk.file === old.file));
  return { disks: [...current, ...others].slice(0, MOST_REMEMBERED), bases: [...bases.values()] };
}

function changes(known: KnownBase, now: KnownBase): string {
  const size = known.sizeBytes === now.sizeBytes ? '' : `, ${known.sizeBytes} then and ${now.sizeBytes} bytes now`;
  return `written at ${new Date(now.mtimeMs).toISOString()}${size}`;
}
