/** Takes the place of `-`, which yargs loses among the words of a command. It looks the same in messages. */
const STAND_IN = '\u2060-';

/** Words for yargs. Pure. */
export function hideDashes(words: readonly string[]): string[] {
  return words.map((word) => (word === '-' ? STAND_IN : word));
}

/** Parsed arguments, with each `-` in its place again. Pure. */
export function showDashes(args: object): object {
  return Object.fromEntries(
    Object.entries(args).map(([name, value]: [string, unknown]) => [
      name,
      Array.isArray(value) ? value.map(shown) : shown(value),
    ]),
  );
}

function shown(value: unknown): unknown {
  return value === STAND_IN ? '-' : value;
}
