/*
 * What machines, guests, other users' files and QEMU say is text of somebody who may wish us ill. A terminal obeys
 * control characters in it: it can be made to hide lines, set its title, answer as if someone had typed (ECMA-48), and
 * to show text in another order than it has (Unicode Standard Annex 9).
 */

/** C0 but for tab and line feed, DEL, C1, and the characters that turn the direction of text or separate lines. */
const UNSAFE = /(?![\t\n])[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;

/**
 * The text with such characters as `\u001b` and the like, which JSON text may have in its place. A carriage return that
 * ends a line is left out.
 */
export function printable(text: string): string {
  return text.replaceAll(/\r+\n/g, '\n').replaceAll(UNSAFE, written);
}

/** The same for what has to stay on one line, such as a cell of a table. */
export function printableCell(text: string): string {
  return printable(text).replaceAll('\n', '\\n').replaceAll('\t', '\\t');
}

function written(char: string): string {
  return char === '\r' ? '\\r' : `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
