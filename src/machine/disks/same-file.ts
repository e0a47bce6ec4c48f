import { statSync } from 'node:fs';

/** Whether two paths lead to one file: QEMU may know it by another name than the machine's file. */
export function isSameFile(a: string, b: string): boolean {
  if (a === b) return true;
  try {
    const [one, two] = [statSync(a, { bigint: true }), statSync(b, { bigint: true })];
    return one.dev === two.dev && one.ino === two.ino;
  } catch {
    // One of them does not exist, or is on another host.
    return false;
  }
}
