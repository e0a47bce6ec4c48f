import { readConfigText } from '../../../machine/config-text.ts';

/**
 * AUTOSTART of a file that has mistakes; undefined when it does not have that key. Anything but a clear "no" counts as "on",
 * whatever is wrong with the line itself: the unit then fails at boot, where everybody looks, instead of being left out.
 */
export function wantsAutostart(path: string): boolean | undefined {
  const read = readConfigText(path);
  if ('text' in read) return autostartIn(read.text);
  // Others may change it: nothing in it counts, and the machine must not be missing without a word.
  return read.issue.code === 'QEMU_NOT_PERMITTED' ? true : undefined;
}

/** The same, of the text of a cfg or JSON file. Pure. */
export function autostartIn(text: string): boolean | undefined {
  const values = [...text.matchAll(AUTOSTART)].map(([, value = '']) => value.toLowerCase());
  return values.length === 0 ? undefined : values.some((value) => !OFF.has(value));
}

/** A line of a cfg file or a member of a JSON one. A line that is commented out has something else in front. */
const AUTOSTART = /(?:^[ \t]*["']?|[{,]\s*")autostart["']?[ \t]*[=:][ \t]*["']?([^\s"',#;}]*)/gim;
const OFF: ReadonlySet<string> = new Set(['', 'off', 'no', 'false', '0']);
