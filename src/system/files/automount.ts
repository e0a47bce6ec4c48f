import { readFileSync } from 'node:fs';

/**
 * Whether the use of a path would have something mounted first. A generator must not: systemd waits for it, and so cannot mount
 * (systemd.generator(7)). Where there is no such file nothing is behind one.
 */
export function isBehindAutomount(path: string): boolean {
  try {
    return isBehindIn(readFileSync('/proc/self/mountinfo', 'utf8'), path);
  } catch {
    return false;
  }
}

/** The same, of the text of a mountinfo file: proc(5). Of two mounts at one place the later one is seen. Pure. */
export function isBehindIn(mountInfo: string, path: string): boolean {
  let found = { point: '', type: '' };
  for (const line of mountInfo.split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    const point = unescapeOctal(before.split(' ')[4] ?? '');
    const isAbove = point === '/' || path === point || path.startsWith(`${point}/`);
    if (point !== '' && isAbove && point.length >= found.point.length) {
      found = { point, type: after.split(' ')[0] ?? '' };
    }
  }
  return found.type === 'autofs';
}

/** Blanks and backslashes are written by their numbers there. */
function unescapeOctal(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
