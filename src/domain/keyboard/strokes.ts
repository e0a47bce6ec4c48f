import { QemuError } from '../../base/errors.ts';
import { LAYOUTS, type Layout, ROWS } from './layouts.ts';

/** Keys that are pressed at the same time, by QEMU's names for them. */
export type Stroke = readonly string[];

/** Characters that are keys of their own in every layout. */
const KEYS: Readonly<Record<string, string>> = { '\n': 'ret', '\r': 'ret', '\t': 'tab', ' ': 'spc', '\u001b': 'esc' };

/** The characters that dead keys give before a space, by the combining character. */
const ALONE: Readonly<Record<string, string>> = { '\u0300': '`', '\u0301': '´', '\u0302': '^', '\u0308': '¨' };

/**
 * The strokes that type a text on a keyboard whose guest has that layout. Pure.
 *
 * @param layout a name of {@link LAYOUTS}, or the short form `us`, `gb`.
 * @throws {QemuError} `QEMU_USAGE` for a layout that is not known here, and for characters that it does not have.
 */
export function strokesFor(text: string, layout: string): Stroke[] {
  const table = tableOf(layoutNamed(layout));
  const missing = new Set<string>();
  const strokes = Array.from(text.replaceAll('\r\n', '\n').normalize('NFC')).flatMap((char) => {
    const found = table.get(char) ?? composed(char, table);
    if (found === undefined) missing.add(char);
    return found ?? [];
  });
  if (missing.size === 0) return strokes;
  const list = [...missing].map((char) => JSON.stringify(char)).join(', ');
  throw new QemuError('QEMU_USAGE', `The layout "${layout}" has no ${list}`, {
    hint: 'nothing was typed; the layout is that of KEYMAP, or of --layout',
  });
}

function layoutNamed(name: string): Layout {
  const found = LAYOUTS[name] ?? LAYOUTS[`en-${name}`];
  if (found) return found;
  const known = Object.keys(LAYOUTS).join(', ');
  throw new QemuError('QEMU_USAGE', `The keys of the layout "${name}" are not known`, {
    hint: `known are ${known}; give the one that the guest has: --layout`,
  });
}

function tableOf({ plain, shift, altGr, dead }: Layout): Map<string, Stroke[]> {
  const table = new Map<string, Stroke[]>();
  const add = (char: string | undefined, strokes: Stroke[]): void => {
    if (char !== undefined && char !== ' ' && !table.has(char)) table.set(char, strokes);
  };
  for (const [char, key] of Object.entries(KEYS)) table.set(char, [[key]]);
  for (const [level, before] of [
    [plain, []],
    [shift, ['shift']],
    [altGr, ['alt_r']],
  ] as const) {
    for (const [row, keys] of ROWS.entries()) {
      const chars = Array.from(level[row] ?? '');
      for (const [at, key] of keys.entries()) add(chars[at], [[...before, key]]);
    }
  }
  for (const [mark, stroke] of Object.entries(dead)) {
    add(ALONE[mark], [stroke, ['spc']]);
    table.set(mark, [stroke]);
  }
  return table;
}

/** Of a letter with an accent: the dead key, and the letter. */
function composed(char: string, table: ReadonlyMap<string, Stroke[]>): Stroke[] | undefined {
  const [base = '', mark = '', ...rest] = Array.from(char.normalize('NFD'));
  const [accent, letter] = [table.get(mark), table.get(base)];
  return rest.length === 0 && accent && letter ? [...accent, ...letter] : undefined;
}
