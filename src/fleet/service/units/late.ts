import { dirname } from 'node:path';
import { unitText, unitWord } from './unit-text.ts';

/**
 * Drop-ins for machines whose files are not there yet: at boot the generator runs before anything but / is mounted.
 * With them `qemu-late.service` reads the files once more when the mounts are done. It waits for whatever is mounted
 * above such a file, also for a mount that does not hold up the boot (`nofail` in fstab(5)). Ordering after units that
 * do not exist does no harm.
 *
 * @param missing absolute paths of files that could not be found.
 */
export function lateDropIns(missing: readonly string[]): { readonly path: string; readonly text: string }[] {
  if (missing.length === 0) return [];
  const mounts = [...new Set(missing.flatMap(foldersAbove))].map(mountUnit);
  const comment = 'Made by qemu-generator: files of machines were not found';
  return [
    { path: 'qemu.target.d/50-late.conf', text: unitText(comment, { Unit: [['Wants', 'qemu-late.service']] }) },
    {
      path: 'qemu-late.service.d/50-mounts.conf',
      text: unitText(comment, {
        Unit: mounts.map((name) => ['After', name] as const),
        // Triggers automounts, which the generator itself must not do.
        Service: missing.map(
          (path) => ['ExecStartPre', `-/usr/bin/timeout 60 /usr/bin/stat ${unitWord(path)}`] as const,
        ),
      }),
    },
  ];
}

function foldersAbove(path: string): string[] {
  const folder = dirname(path);
  return folder === '/' ? [] : [...foldersAbove(folder), folder];
}

/** Name of the unit that mounts something at a path: systemd-escape(1), `--path --suffix=mount`. */
export function mountUnit(path: string): string {
  const escaped = [...Buffer.from(path.replace(/^\/+|\/+$/g, ''))].map((byte, index) => {
    const character = String.fromCharCode(byte);
    if (character === '/') return '-';
    const isPlain = /[A-Za-z0-9:_.]/.test(character) && !(character === '.' && index === 0);
    return isPlain ? character : `\\x${byte.toString(16).padStart(2, '0')}`;
  });
  return `${escaped.join('')}.mount`;
}
