/** Stands before a word that yargs would lose among the words of a command. It looks the same in messages. */
const STAND_IN = '\u2060';

/** Words for yargs, which loses `-`, and after `--` each that begins with a dash. Pure. */
export function hideDashes(words: readonly string[]): string[] {
  const end = words.indexOf('--');
  const isLost = (word: string, at: number): boolean => word === '-' || (end >= 0 && at > end && word.startsWith('-'));
  return words.map((word, at) => (isLost(word, at) ? `${STAND_IN}${word}` : word));
}

/** Parsed arguments, with each of these words as it was. Pure. */
export function showDashes(args: object): object {
  return Object.fromEntries(
    Object.entries(args).map(([name, value]: [string, unknown]) => [
      name,
      Array.isArray(value) ? value.map(shown) : shown(value),
    ]),
  );
}

function shown(value: unknown): unknown {
  return typeof value === 'string' && value.startsWith(`${STAND_IN}-`) ? value.slice(STAND_IN.length) : value;
}
