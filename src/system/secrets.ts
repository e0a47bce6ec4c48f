import { chmodSync, chownSync } from 'node:fs';
import { join } from 'node:path';
import { namesIn } from './files/files.ts';

/** Lets a group pass through a folder of root's, and no more. Only root can. */
export function letPass(folder: string, gid: number): void {
  chownSync(folder, 0, gid);
  chmodSync(folder, 0o710);
}

/** Lets a user read the files in a folder of root's by their names, and nobody else but root. A folder that is missing is fine. */
export function giveSecrets(folder: string, { uid, gid }: { readonly uid: number; readonly gid: number }): void {
  const names = namesIn(folder);
  if (names.length === 0) return;
  letPass(folder, gid);
  for (const name of names) {
    chownSync(join(folder, name), uid, 0);
    chmodSync(join(folder, name), 0o400);
  }
}
