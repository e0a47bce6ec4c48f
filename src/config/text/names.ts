/** Names of machines, short and long: they become file, folder, unit and guest names. */
export const NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$/;

/** What {@link NAME_PATTERN} allows, for messages. */
export const NAME_RULE = 'a name has 1 to 40 letters, digits, "_", "." or "-" and starts with a letter or digit';

/** Longer words are compared by this many characters only. */
const MOST_COMPARED = 64;

/** Whether a machine can be called that. */
export function isValidName(name: string): boolean {
  return NAME_PATTERN.test(name);
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
