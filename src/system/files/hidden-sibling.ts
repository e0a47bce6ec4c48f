import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

let counter = 0;

/** A name that no other process or call uses, next to the path, in the same file system: `.NAME.PID-N.SUFFIX`. */
export function hiddenSibling(path: string, suffix: string): string {
  counter += 1;
  return join(dirname(path), `.${basename(path)}.${process.pid}-${counter}.${suffix}`);
}

/**
 * The names of all siblings that {@link hiddenSibling} gave for that path and suffix, in this or another process.
 *
 * @throws the error of readdir(3) when the folder of the path cannot be read.
 */
export function leftoversOf(path: string, suffix: string): string[] {
  const start = `.${basename(path)}.`;
  const end = `.${suffix}`;
  return readdirSync(dirname(path)).filter(
    (name) => name.startsWith(start) && name.endsWith(end) && /^\d+-\d+$/.test(name.slice(start.length, -end.length)),
  );
}
