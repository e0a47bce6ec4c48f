import { shellCommand } from '../../../config/text/shell-words.ts';
import type { ListedImage } from '../../../fleet/image-list.ts';

const ROLES: Readonly<Record<ListedImage['role'], string>> = {
  image: 'is',
  backing: 'rests on',
  data: 'has its data in',
  extent: 'has a part in',
};

/** Files of disks in addition to those named in the cfg, one line each, with names quoted for a shell. */
export function imageLines(images: readonly ListedImage[]): string[] {
  return images
    .filter(({ role }) => role !== 'image')
    .map(({ key, file, format, role }) => `${key} ${ROLES[role]} ${shellCommand(file)} (${format})`);
}
