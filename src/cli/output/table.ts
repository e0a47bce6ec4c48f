/** What a table may do to fit the width of a terminal. Headings name columns. */
export interface Fitting {
  /** Columns that are left out, the first one first. */
  readonly optional?: readonly string[];
  /** Column that is shortened before any is left out. */
  readonly cut?: string;
}

const GAP = 2;
/** Least width of a shortened column. */
const LEAST_WIDTH = 16;

/**
 * The rows, without the columns that do not fit into `width` characters; all of them when there is no width, as in a
 * file. The first row has the headings. Pure.
 */
export function fitTable(
  rows: readonly (readonly string[])[],
  { optional = [], cut }: Fitting,
  width: number | undefined,
): string[][] {
  const headings = rows[0] ?? [];
  const widths = headings.map((_, column) => Math.max(...rows.map((row) => textWidth(row[column] ?? ''))));
  const cutAt = cut === undefined ? -1 : headings.indexOf(cut);
  const cutWidth = widths[cutAt] ?? 0;
  const least = Math.min(cutWidth, LEAST_WIDTH);
  const kept = new Set(headings.keys());
  const excess = (): number => {
    if (width === undefined) return 0;
    const sum = [...kept].reduce((total, column) => total + (widths[column] ?? 0), 0);
    return sum + GAP * (kept.size - 1) - width;
  };
  for (const heading of optional) {
    if (excess() <= cutWidth - least) break;
    kept.delete(headings.indexOf(heading));
  }
  const shown = excess() > 0 ? Math.max(least, cutWidth - excess()) : cutWidth;
  return rows.map((row) =>
    [...kept].map((column) => (column === cutAt ? clip(row[column] ?? '', shown) : (row[column] ?? ''))),
  );
}

/**
 * Rows as lines, with the cells of a column below one another. `paint` colours a cell without changing its width. Pure.
 */
export function tableLines(
  rows: readonly (readonly string[])[],
  paint: (cell: string, heading: string) => string = (cell) => cell,
): string[] {
  const headings = rows[0] ?? [];
  const widths = headings.map((_, column) => Math.max(...rows.map((row) => textWidth(row[column] ?? ''))));
  return rows.map((row, index) =>
    row
      .map((cell, column) => {
        const last = row.slice(column + 1).every((each) => each === '');
        const padding = ' '.repeat(last ? 0 : (widths[column] ?? 0) - textWidth(cell));
        return `${index === 0 ? cell : paint(cell, headings[column] ?? '')}${padding}`;
      })
      .join(' '.repeat(GAP))
      .trimEnd(),
  );
}

/**
 * Characters that East Asian terminals and emoji fonts draw two columns wide (Unicode Standard Annex 11, W and F), by
 * blocks.
 */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{1f300}-\u{1faff}]/u;
const ZERO = /\p{Mn}|\u200d/u;

function textWidth(text: string): number {
  let width = 0;
  for (const char of text) width += charWidth(char);
  return width;
}

function charWidth(char: string): number {
  if (char < '\u0300') return 1;
  if (ZERO.test(char)) return 0;
  return WIDE.test(char) ? 2 : 1;
}

/** The text in at most so many columns; what is cut off is a `…`. */
function clip(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  let clipped = '';
  let used = 1;
  for (const char of text) {
    used += charWidth(char);
    if (used > width) break;
    clipped += char;
  }
  return `${clipped.trimEnd()}…`;
}
