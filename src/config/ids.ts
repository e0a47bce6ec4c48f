import { quote } from '../base/text.ts';
import { isValidName, NAME_RULE } from './text/names.ts';
import type { ValueContext } from './text/option-list.ts';

/** Reads names of machines with commas or blanks between them. */
export function parseIds(text: string, { key, report }: ValueContext): readonly string[] | undefined {
  const ids = text.split(/[\s,]+/).filter((id) => id !== '');
  const wrong = ids.find((id) => !isValidName(id));
  if (wrong === undefined) return ids;
  report(`${key} ${quote(wrong)} is not a valid name; ${NAME_RULE}`);
  return undefined;
}
