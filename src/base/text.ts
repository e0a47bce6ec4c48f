/** Longer words are compared by this many characters only. */
const MOST_COMPARED = 64;

/** Longest piece of a file that a message repeats, in characters. */
const MOST_QUOTED = 80;

/**
 * Text from a file in double quotes for a message: clipped, and with whatever could disturb a terminal or be invisible
 * written as `\u{…}`.
 */
export function quote(text: string): string {
  const clipped = text.length > MOST_QUOTED ? `${text.slice(0, MOST_QUOTED)}…` : text;
  const visible = clipped.replace(/\p{C}|[^\P{Z} ]/gu, (character) => {
    return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
  });
  return `"${visible}"`;
}

/** Longest sentence of another program that a message repeats, in characters. */
const MOST_SENTENCE = 1_000;

/**
 * A sentence of a program that is not trusted, for a message: it cannot pass a line of its own for one of ours, such as a
 * hint or the outcome of another machine, and has an end. Pure.
 */
export function oneLine(text: string): string {
  const line = text.replaceAll(/\s*[\n\r\v\f\u0085\u2028\u2029]\s*/g, ' ').trim();
  return line.length > MOST_SENTENCE ? `${line.slice(0, MOST_SENTENCE)}…` : line;
}

/** `a, b or c`, for the values that a message lists. */
export function anyOf(words: readonly string[]): string {
  const last = words.at(-1) ?? '';
  return words.length > 1 ? `${words.slice(0, -1).join(', ')} or ${last}` : last;
}

/** qemu-system(1): a comma inside a value is doubled. */
export function quoteComma(value: string): string {
  return value.replaceAll(',', ',,');
}

/** The message of an error; anything else that was thrown is converted to text. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * The word that `word` was most likely meant to be: the one with the least edit distance (a swap of two neighbours counts
 * once, case not at all); undefined when none is within a third of the word's length.
 */
export function nearest(word: string, words: Iterable<string>): string | undefined {
  const wanted = word.slice(0, MOST_COMPARED).toLowerCase();
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of words) {
    const distance = editDistance(wanted, candidate.slice(0, MOST_COMPARED).toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Optimal string alignment distance: insertions, deletions, replacements and swaps of neighbours. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1] ? 0 : 1;
      let cost = Math.min(at(last, column) + 1, at(current, column - 1) + 1, at(last, column - 1) + same);
      const isSwap = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (isSwap) cost = Math.min(cost, at(beforeLast, column - 2) + 1);
      current.push(cost);
    }
    beforeLast = last;
    last = current;
  }
  return at(last, b.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? 0;
}

/** The last lines of a text, which may end in the middle of one. */
export function lastLines(text: string, count: number): string {
  const lines = text.split('\n');
  const complete = lines.at(-1) === '' ? lines.length - 1 : lines.length;
  return lines.slice(Math.max(0, complete - count)).join('\n');
}
