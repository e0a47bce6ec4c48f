/*
 * Text from machines, guests, other users' files and QEMU may be hostile. A terminal obeys
 * control characters in it: it can be made to hide lines, set its title, send input as if typed (ECMA-48), and to
 * show text in a different order (Unicode Standard Annex 9).
 */

/** C0 except tab and line feed, DEL, C1, and the characters that turn the direction of text or separate lines. */
const UNSAFE = /(?![\t\n])[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;

/**
 * The text with such characters escaped like `\u001b`, which is valid in JSON text, too. A carriage return that
 * ends a line is left out.
 */
export function printable(text: string): string {
  return text.replaceAll(/\r+\n/g, '\n').replaceAll(UNSAFE, written);
}

/** The same for text that must stay on one line, such as a cell of a table. */
export function printableCell(text: string): string {
  return printable(text).replaceAll('\n', '\\n').replaceAll('\t', '\\t');
}

function written(char: string): string {
  return char === '\r' ? '\\r' : `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
