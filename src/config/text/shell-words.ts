import { QemuError } from '../../base/errors.ts';

/**
 * Splits text into words as the POSIX shell does (XCU 2.2, Quoting): single quotes, double quotes and backslashes.
 * Nothing is expanded: `$`, backticks, `*` and `~` are plain text, and `#`, `;`, `|` are not operators.
 *
 * @throws {QemuError} `QEMU_USAGE` when a quote is left open or the text ends in a backslash.
 */
export function splitWords(text: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let at = 0;
  while (at < text.length) {
    const character = text.charAt(at);
    if (character === ' ' || character === '\t' || character === '\n') {
      if (word !== undefined) words.push(word);
      word = undefined;
      at += 1;
      continue;
    }
    const piece = readPiece(text, at);
    word = (word ?? '') + piece.text;
    at = piece.end;
  }
  if (word !== undefined) words.push(word);
  return words;
}

/** Writes words so that {@link splitWords} gives them back. */
export function joinWords(words: readonly string[]): string {
  return words.map(quoteWord).join(' ');
}

/**
 * A command for a hint, to be pasted into a shell as it is. Every hint that prints a command with a file name in it uses this:
 * a name such as `/x;reboot;.img` would otherwise be a command itself. Control characters, which could act on the terminal, are
 * written as `$'\x1b'` (bash, ksh, zsh).
 */
export function shellCommand(...words: readonly string[]): string {
  return words.map((word) => (/\p{Cc}/u.test(word) ? ansiQuoted(word) : quoteWord(word))).join(' ');
}

function ansiQuoted(word: string): string {
  const escaped = word.replace(/['\\]|\p{Cc}/gu, (character) => {
    if (character === "'" || character === '\\') return `\\${character}`;
    return [...Buffer.from(character)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
  });
  return `$'${escaped}'`;
}

interface Piece {
  readonly text: string;
  /** Where the text goes on. */
  readonly end: number;
}

function readPiece(text: string, start: number): Piece {
  switch (text[start]) {
    case "'":
      return readSingleQuoted(text, start);
    case '"':
      return readDoubleQuoted(text, start);
    case '\\':
      if (start + 1 === text.length) throw new QemuError('QEMU_USAGE', 'It ends in a backslash');
      return { text: text.charAt(start + 1), end: start + 2 };
    default:
      return { text: text.charAt(start), end: start + 1 };
  }
}

function readSingleQuoted(text: string, start: number): Piece {
  const close = text.indexOf("'", start + 1);
  if (close < 0) throw openQuote("'");
  return { text: text.slice(start + 1, close), end: close + 1 };
}

function readDoubleQuoted(text: string, start: number): Piece {
  let inside = '';
  for (let at = start + 1; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === '"') return { text: inside, end: at + 1 };
    const next = text.charAt(at + 1);
    // XCU 2.2.3: inside double quotes a backslash is special only before these.
    if (character === '\\' && next !== '' && '$`"\\'.includes(next)) {
      inside += next;
      at += 1;
    } else {
      inside += character;
    }
  }
  throw openQuote('"');
}

function openQuote(mark: string): QemuError {
  return new QemuError('QEMU_USAGE', `A quote (${mark}) is not closed`);
}

function quoteWord(word: string): string {
  return /^[A-Za-z0-9_./:,=+@%-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
