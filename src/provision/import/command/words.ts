import { QemuError } from '../../../base/errors.ts';

/** A word of a command line and where it begins. */
export interface CommandWord {
  readonly text: string;
  /** Line in the text, from 1. */
  readonly line: number;
}

/**
 * Splits a command line as a POSIX shell splits words: quotes, backslashes, line continuations and comments. Nothing is
 * expanded or executed: text with a "$", a backtick or an operator outside quotes is refused, since a shell would make
 * something else of it. A `/proc/PID/cmdline`, whose words end in NUL, is split there.
 *
 * @throws {QemuError} `QEMU_CONFIG_INVALID` with the line.
 */
export function splitCommand(text: string, path: string): CommandWord[] {
  if (text.includes('\0'))
    return text
      .split('\0')
      .filter((word, at, all) => word !== '' || at < all.length - 1)
      .map((word) => ({ text: word, line: 1 }));
  return new Splitter(text, path).words();
}

class Splitter {
  readonly #text: string;
  readonly #path: string;
  #at = 0;
  #line = 1;

  constructor(text: string, path: string) {
    this.#text = text;
    this.#path = path;
  }

  words(): CommandWord[] {
    const words: CommandWord[] = [];
    for (;;) {
      this.#skipBlanks();
      if (this.#at >= this.#text.length) return words;
      const line = this.#line;
      words.push({ text: this.#word(), line });
    }
  }

  #skipBlanks(): void {
    for (;;) {
      const next = this.#text[this.#at];
      if (next === undefined) return;
      if (next === '#') this.#skipComment();
      else if (next === '\\' && /^\\\r?\n/.test(this.#text.slice(this.#at, this.#at + 3)))
        this.#take(this.#text[this.#at + 1] === '\r' ? 3 : 2);
      else if (/\s/.test(next)) this.#take(1);
      else return;
    }
  }

  #skipComment(): void {
    const end = this.#text.indexOf('\n', this.#at);
    this.#at = end < 0 ? this.#text.length : end;
  }

  #word(): string {
    let word = '';
    for (;;) {
      const next = this.#text[this.#at];
      if (next === undefined || /\s/.test(next)) return word;
      if (next === "'") word += this.#single();
      else if (next === '"') word += this.#double();
      else if (next === '\\') word += this.#escaped();
      else if (/[$`;&|<>()]/.test(next))
        this.#fail(
          `"${next}" has a meaning for a shell, and nothing is executed or expanded: write the value, or quote it`,
        );
      else word += this.#take(1);
    }
  }

  #single(): string {
    const end = this.#text.indexOf("'", this.#at + 1);
    if (end < 0) this.#fail("a ' has no end");
    return this.#take(end + 1 - this.#at).slice(1, -1);
  }

  #double(): string {
    let text = '';
    this.#take(1);
    for (;;) {
      const next = this.#text[this.#at];
      if (next === undefined) this.#fail('a " has no end');
      if (next === '$' || next === '`')
        this.#fail(`"${next}" has a meaning for a shell, and nothing is executed or expanded: write the value`);
      if (next === '"') {
        this.#take(1);
        return text;
      }
      const escaped = /^\\(["\\$`\n])/.exec(this.#text.slice(this.#at, this.#at + 2));
      if (escaped) {
        this.#take(2);
        text += escaped[1] === '\n' ? '' : (escaped[1] ?? '');
      } else text += this.#take(1);
    }
  }

  #escaped(): string {
    const piece = this.#take(this.#text[this.#at + 1] === '\r' && this.#text[this.#at + 2] === '\n' ? 3 : 2);
    return piece.endsWith('\n') ? '' : piece.slice(1);
  }

  #take(count: number): string {
    const piece = this.#text.slice(this.#at, this.#at + count);
    this.#at += count;
    this.#line += piece.split('\n').length - 1;
    return piece;
  }

  #fail(message: string): never {
    throw new QemuError('QEMU_CONFIG_INVALID', `${this.#path}:${this.#line}: ${message}`);
  }
}
