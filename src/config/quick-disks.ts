import type { DiskConfig } from './device-config.ts';
import { parseDisk } from './disk.ts';

/** Before the first line of another section, which is not of keys. */
const SECTION = /^\s*\[/m;
/** Options of `[custom]` that name storage. */
const STORAGE = /(?:^|\s)--?(?:drive|blockdev|hd[a-d]|cdrom|fd[ab]|mtdblock|pflash|sd)\s/m;

/**
 * The disks that the text of a cfg names, without reading the rest of it, which takes ten times as long: for a look at many
 * machines. What is wrong in it is passed over.
 *
 * @returns undefined if only a full parse tells: quoted values have their own rules, and so do options of `[custom]`.
 */
export function quickDisks(text: string, dir: string): DiskConfig[] | undefined {
  const section = SECTION.exec(text)?.index ?? text.length;
  if (STORAGE.test(text.slice(section))) return undefined;
  const keys = text.slice(0, section);
  const disks: DiskConfig[] = [];
  for (const [, key = '', index, value = ''] of keys.matchAll(/^\s*(DSK(\d+))\s*=(.*)$/gm)) {
    if (/["'\\;#]/.test(value)) return undefined;
    const disk = parseDisk(value.trim(), Number(index), { key, dir, inDefaults: false, report: () => {} });
    if (disk) disks.push(disk);
  }
  return disks;
}
