import { readConfigText } from '../../../machine/config-text.ts';

/**
 * AUTOSTART of a file that has mistakes; undefined without that key. Anything but a clear "no" counts as "on", even if
 * the line itself is wrong: the unit then fails visibly at boot, instead of being left out.
 */
export function wantsAutostart(path: string): boolean | undefined {
  const read = readConfigText(path);
  if ('text' in read) return autostartIn(read.text);
  // Others may change it: its contents are ignored, but the machine must not be left out silently.
  return read.issue.code === 'QEMU_NOT_PERMITTED' ? true : undefined;
}

/** The same, of the text of a cfg or JSON file. Pure. */
export function autostartIn(text: string): boolean | undefined {
  const values = [...text.matchAll(AUTOSTART)].map(([, value = '']) => value.toLowerCase());
  return values.length === 0 ? undefined : values.some((value) => !OFF.has(value));
}

/** A line of a cfg file or a member of a JSON one. Lines that are commented out do not match. */
const AUTOSTART = /(?:^[ \t]*["']?|[{,]\s*")autostart["']?[ \t]*[=:][ \t]*["']?([^\s"',#;}]*)/gim;
const OFF: ReadonlySet<string> = new Set(['', 'off', 'no', 'false', '0']);
