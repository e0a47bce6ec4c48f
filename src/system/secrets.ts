import { chmodSync, chownSync, lstatSync } from 'node:fs';
import { join } from 'node:path';
import { namesIn } from './files/files.ts';

/** Lets a group pass through a folder of root's, but not list it. Needs root. */
export function letPass(folder: string, gid: number): void {
  chownSync(folder, 0, gid);
  chmodSync(folder, 0o710);
}

/**
 * Lets a user, and no other user but root, read files in a folder of root's by their names. It is fine if the folder is
 * missing.
 */
export function giveSecrets(folder: string, { uid, gid }: { readonly uid: number; readonly gid: number }): void {
  const names = namesIn(folder);
  if (names.length === 0) return;
  letPass(folder, gid);
  for (const name of names) giveSecret(join(folder, name), { uid });
}

/** The same for a single file in a folder of root's that the user can pass through. It is fine if it is missing. */
export function giveSecret(file: string, { uid }: { readonly uid: number }): void {
  if (lstatSync(file, { throwIfNoEntry: false }) === undefined) return;
  chownSync(file, uid, 0);
  chmodSync(file, 0o400);
}
