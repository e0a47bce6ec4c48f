/** Name of the unit of a machine. Names of machines need no escaping in it. */
export function unitName(longName: string): string {
  return `qemu@${longName}.service`;
}

/** A line of a unit file: a key with its value. Undefined: no line. */
export type UnitLine = readonly [key: string, value: string] | undefined;

/**
 * Text of a unit file (systemd.syntax(7)). Sections without a line are left out. Whatever a value has in it, it stays
 * one line: systemd ends lines at CR and NUL too, joins one that ends in a backslash with the next, and drops a whole
 * file for one that is too long.
 */
export function unitText(comment: string, sections: Readonly<Record<string, readonly UnitLine[]>>): string {
  const parts = Object.entries(sections).flatMap(([name, lines]) => {
    const written = lines.flatMap((line) => (line === undefined ? [] : [`${line[0]}=${oneLine(line[1])}`]));
    return written.length === 0 ? [] : [`[${name}]\n${written.join('\n')}\n`];
  });
  return `# ${oneLine(comment)}\n\n${parts.join('\n')}`;
}

function oneLine(value: string): string {
  return value.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ').replace(/[\s\\]+$/, '');
}

/** Text for people: specifiers are escaped, and it is shortened to fit a line of a table. */
export function unitWords(text: string): string {
  const short = text.length > MOST_WORDS ? `${text.slice(0, MOST_WORDS)}…` : text;
  return short.replaceAll('%', '%%');
}

const MOST_WORDS = 200;

/** A path as one word of a list, with specifiers and quotes escaped. A backslash has no meaning in such lists. */
export function unitPath(path: string): string {
  const plain = path.replaceAll('%', '%%');
  if (/^[\w%/.,:@+=-]+$/.test(plain)) return plain;
  return plain.includes('"') ? `'${plain.replaceAll("'", `'"'"'`)}'` : `"${plain}"`;
}

/** One word of a command line (systemd.service(5), "Command lines"), with everything special escaped. */
export function unitWord(text: string): string {
  const escaped = text.replaceAll(/["\\]/g, String.raw`\$&`).replaceAll('%', '%%').replaceAll('$', '$$$$');
  return `"${escaped}"`;
}
