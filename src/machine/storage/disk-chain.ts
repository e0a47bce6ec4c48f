import type { DiskConfig } from '../../config/device-config.ts';
import { type ImageChain, type KnownLayers, readChain } from '../../system/images/image-chain.ts';
import type { Paths } from '../../system/paths.ts';
import { formatOf } from './disk-format.ts';
import { leadJudge } from './judge-lead.ts';

/** How {@link diskChain} looks. */
export interface LookOptions {
  /** Whether a file that a header leads to may be looked at. */
  readonly mayOpen?: ((path: string) => boolean) | undefined;
  readonly known?: KnownLayers | undefined;
}

/** A disk and everything that it rests on, in the format that a start would use. */
export function diskChain(
  paths: Paths,
  longName: string,
  disk: DiskConfig,
  { mayOpen = () => true, known }: LookOptions = {},
): ImageChain {
  const format = disk.format ?? formatOf(paths, longName, disk, () => {});
  const judge = leadJudge(paths, longName, disk);
  return readChain(disk.file, {
    format,
    allowed: disk.backing,
    known,
    judge: (lead) => (mayOpen(lead.path) ? judge(lead) : { what: `rests on "${lead.path}", which is not examined` }),
  });
}
