/** Name of the unit of a machine. Names of machines need no escaping in it. */
export function unitName(longName: string): string {
  return `qemu@${longName}.service`;
}

/** A line of a unit file: a key with its value. Undefined: no line. */
export type UnitLine = readonly [key: string, value: string] | undefined;

/** Text of a unit file (systemd.syntax(7)). Sections without a line are left out. */
export function unitText(comment: string, sections: Readonly<Record<string, readonly UnitLine[]>>): string {
  const parts = Object.entries(sections).flatMap(([name, lines]) => {
    const written = lines.flatMap((line) => (line === undefined ? [] : [`${line[0]}=${line[1]}`]));
    return written.length === 0 ? [] : [`[${name}]\n${written.join('\n')}\n`];
  });
  return `# ${comment.replaceAll('\n', ' ')}\n\n${parts.join('\n')}`;
}

/** A path as one word of a list: specifiers and quotes lose their meaning. */
export function unitPath(path: string): string {
  const plain = path.replaceAll('%', '%%');
  return /^[\w%/.,:@+=-]+$/.test(plain) ? plain : `"${plain.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}
