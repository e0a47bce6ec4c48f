import { QemuError } from '../../base/errors.ts';
import { runSync } from '../process/exec-sync.ts';

/**
 * Whether a file may have an access control list, acl(5). Node.js cannot read extended attributes, and ls(1) of GNU
 * coreutils marks such files with a plus sign; other implementations, such as BusyBox, do not. If that cannot be
 * determined, the file counts as having one.
 */
export function hasAccessList(path: string): boolean {
  if (!ls('--version').includes('GNU coreutils')) return true;
  return !/^[a-zA-Z-]{10}[ .]/.test(ls('-ld', '--', path));
}

/** What it prints; empty when it fails. */
function ls(...args: string[]): string {
  try {
    const { stdout, exitCode } = runSync('/bin/ls', args, { input: '', env: {}, timeoutMs: 5_000 });
    return exitCode === 0 ? stdout : '';
  } catch (error) {
    if (!(error instanceof QemuError)) throw error;
    return '';
  }
}
