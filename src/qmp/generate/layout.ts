/** Longest line of generated text. */
const LINE_WIDTH = 120;

/** `export type NAME = A | B;`, on several lines when it is too long for one. */
export function renderUnion(name: string, parts: readonly string[]): string {
  const line = `export type ${name} = ${parts.join(' | ')};`;
  if (line.length <= LINE_WIDTH) return `${line}\n`;
  return `export type ${name} =\n${renderRows(parts, '  ')};\n`;
}

/** `export type NAME = BASE & (A | B);`, on several lines when it is too long for one. */
export function renderExtendedUnion(name: string, base: string, parts: readonly string[]): string {
  const union = parts.length === 1 ? parts.join('') : `(${parts.join(' | ')})`;
  const line = `export type ${name} = ${base} & ${union};`;
  if (line.length <= LINE_WIDTH) return `${line}\n`;
  if (parts.length === 1 || union.length + 3 <= LINE_WIDTH) return `export type ${name} = ${base} &\n  ${union};\n`;
  return `export type ${name} = ${base} &\n  (\n${renderRows(parts, '    ')}\n  );\n`;
}

function renderRows(parts: readonly string[], indent: string): string {
  return parts.map((part) => `${indent}| ${part}`).join('\n');
}

/** A member of an interface, as one line or as a body on several lines. */
export function renderMember(text: string, indent: string): string {
  const line = `${indent}${text}`;
  if (line.length <= LINE_WIDTH) return `${line}\n`;
  return line
    .replace(/\{ (.*) \};$/, (_whole, body: string) => {
      const members = body.split('; ').map((member) => `${indent}  ${member};\n`);
      return `{\n${members.join('')}${indent}};`;
    })
    .concat('\n');
}

/** A doc comment for notes and features, or nothing. */
export function renderDoc(features: readonly string[], indent: string, notes: readonly string[] = []): string {
  const tags = [
    ...(features.includes('deprecated') ? ['@deprecated'] : []),
    ...(features.includes('unstable') ? ['@experimental'] : []),
  ];
  const lines = [...notes, ...tags];
  if (lines.length === 0) return '';
  if (lines.length === 1) return `${indent}/** ${lines.join('')} */\n`;
  return `${indent}/**\n${lines.map((line) => `${indent} * ${line}\n`).join('')}${indent} */\n`;
}

/** A property name, quoted when it must be. */
export function renderKey(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : renderText(name);
}

/** A string literal. */
export function renderText(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
