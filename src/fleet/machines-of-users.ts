import { existsSync } from 'node:fs';
import { isValidName } from '../config/text/names.ts';
import { namesIn } from '../system/files/files.ts';
import { userName } from '../system/users.ts';

/**
 * Machines that run in the scopes of users, as text: `web (of anna)`. Only the existence of their files is trusted, not
 * the contents.
 */
export function machinesOfUsers(): string[] {
  return namesUnder('/run/user')
    .filter((uid) => /^\d+$/.test(uid))
    .flatMap((uid) => {
      const folder = `/run/user/${uid}/qemu-init`;
      const running = namesUnder(folder).filter(
        (name) => isValidName(name) && existsSync(`${folder}/${name}/qemu/pid`),
      );
      return running.map((name) => `${name} (of ${userName(Number(uid))})`);
    });
}

function namesUnder(folder: string): string[] {
  try {
    return namesIn(folder);
  } catch {
    return [];
  }
}
