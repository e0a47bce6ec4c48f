import { realpathSync } from 'node:fs';
import { quote } from '../../base/text.ts';
import { shellCommand } from '../../config/text/shell-words.ts';
import { MACHINES_GROUP } from '../../system/users.ts';

/**
 * What a person is told to type so that QEMU's user may use a file: it becomes that user's, or what the machines' group may
 * read. These commands follow links, and whoever may write to a folder on the way, such as a captured QEMU, can have put one there
 * to /etc/shadow: so the file is named by where it is, and a doubt comes first.
 *
 * @param isNamed whether the machine's file names it; else only the header of an image does.
 */
export function giveFile(path: string, to: { readonly user: string } | 'group', isNamed: boolean): string {
  const real = placeOf(path);
  const commands =
    to === 'group'
      ? `${shellCommand('chgrp', MACHINES_GROUP, real)}; ${shellCommand('chmod', 'g+r', real)}`
      : shellCommand('chown', to.user, real);
  const doubts = [
    ...(isNamed ? [] : ['an image names it']),
    ...(real === path ? [] : [`a link leads to ${quote(real)}`]),
  ];
  return doubts.length === 0 ? commands : `${doubts.join(', and ')}; if that is meant, ${commands}`;
}

function placeOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
