import { QemuError } from '../../../base/errors.ts';

/** A word of a command line and where it begins. */
export interface CommandWord {
  readonly text: string;
  /** Line in the text, from 1. */
  readonly line: number;
  /** Why the text is not what a shell would make of it. */
  readonly problem?: string | undefined;
}

/** The words of one command, and what the shell would have done with its input and output. */
export interface Command {
  readonly words: readonly CommandWord[];
  readonly redirections: readonly CommandWord[];
}

/**
 * Splits a script as a POSIX shell splits words and commands: quotes, backslashes, line continuations, comments and
 * operators. Nothing is expanded or executed: a word with something that a shell would replace is marked. A line that
 * begins with "-" continues the one before, since continuations get lost when text is copied. A `/proc/PID/cmdline`,
 * whose words end in NUL, is split there.
 *
 * @throws {QemuError} `QEMU_CONFIG_INVALID` with the line.
 */
export function splitCommands(text: string, path: string): Command[] {
  if (!text.includes('\0')) return new Splitter(text, path).commands();
  const words = text
    .split('\0')
    .filter((word, at, all) => word !== '' || at < all.length - 1)
    .map((word) => ({ text: word, line: 1 }));
  return [{ words, redirections: [] }];
}

/** POSIX.1-2017, XCU 2.2: these end a word if they are not quoted. */
const OPERATOR = /[;&|<>()]/;

class Splitter {
  readonly #text: string;
  readonly #path: string;
  #at = 0;
  #line = 1;
  /** What the word that is being read has of a shell. */
  #problem: string | undefined;

  constructor(text: string, path: string) {
    this.#text = text;
    this.#path = path;
  }

  commands(): Command[] {
    const commands: Command[] = [];
    let words: CommandWord[] = [];
    let redirections: CommandWord[] = [];
    const end = (): void => {
      if (words.length > 0) commands.push({ words, redirections });
      words = [];
      redirections = [];
    };
    for (;;) {
      if (this.#skipBlanks() && !this.#rest(/-/y)) end();
      const line = this.#line;
      if (this.#at >= this.#text.length) {
        end();
        return commands;
      }
      const redirection = this.#rest(/\d*[<>]+[&|]?[ \t]*/y);
      if (redirection !== undefined) {
        redirections.push({ text: `${this.#take(redirection.length)}${this.#word()}`, line });
      } else if (OPERATOR.test(this.#text[this.#at] ?? '')) {
        this.#take(1);
        end();
      } else {
        this.#problem = undefined;
        const text = this.#word();
        words.push({ text, line, problem: this.#problem });
      }
    }
  }

  /** @returns whether the line ended. */
  #skipBlanks(): boolean {
    let isNewLine = false;
    for (;;) {
      const next = this.#text[this.#at];
      if (next === undefined) return isNewLine;
      const continuation = this.#rest(/\\\r?\n/y);
      if (next === '#') this.#skipComment();
      else if (continuation !== undefined) this.#take(continuation.length);
      else if (/\s/.test(next)) isNewLine = this.#take(1) === '\n' || isNewLine;
      else return isNewLine;
    }
  }

  #skipComment(): void {
    const end = this.#text.indexOf('\n', this.#at);
    this.#at = end < 0 ? this.#text.length : end;
  }

  #word(): string {
    let word = '';
    if (this.#text[this.#at] === '~') this.#problem = 'a shell puts the home folder in place of "~"';
    for (;;) {
      const next = this.#text[this.#at];
      if (next === undefined || /\s/.test(next) || OPERATOR.test(next)) return word;
      if (next === "'") word += this.#single();
      else if (next === '"') word += this.#double();
      else if (next === '\\') word += this.#escaped();
      else if (next === '$' || next === '`') word += this.#expansion();
      else {
        if (next === '*') this.#problem = 'a shell puts names of files in place of "*"';
        word += this.#take(1);
      }
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
      const escaped = /^\\(["\\$`\n])/.exec(this.#text.slice(this.#at, this.#at + 2));
      if (next === '"') {
        this.#take(1);
        return text;
      }
      if (next === '$' || next === '`') text += this.#expansion();
      else if (escaped) {
        this.#take(2);
        text += escaped[1] === '\n' ? '' : (escaped[1] ?? '');
      } else text += this.#take(1);
    }
  }

  #escaped(): string {
    const continuation = this.#rest(/\\\r?\n/y);
    if (continuation === undefined) return this.#take(2).slice(1);
    this.#take(continuation.length);
    return '';
  }

  /** What a shell would replace, as it is written: `$name`, `$(…)`, or between backticks. */
  #expansion(): string {
    const next = this.#text[this.#at];
    this.#problem = `"${next}" has a meaning for a shell, and nothing is executed or expanded`;
    if (next === '`') {
      const end = this.#text.indexOf('`', this.#at + 1);
      if (end < 0) this.#fail('a ` has no end');
      return this.#take(end + 1 - this.#at);
    }
    const opened = this.#text[this.#at + 1];
    if (opened !== '(' && opened !== '{') return this.#take(1);
    return this.#take(this.#lengthToClosing(opened, opened === '(' ? ')' : '}'));
  }

  #lengthToClosing(open: string, close: string): number {
    let depth = 0;
    for (let at = this.#at + 1; at < this.#text.length; at += 1) {
      if (this.#text[at] === open) depth += 1;
      else if (this.#text[at] === close) depth -= 1;
      if (depth === 0) return at + 1 - this.#at;
    }
    this.#fail(`a ${open} has no end`);
  }

  /** What matches here, by a sticky expression. */
  #rest(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.#text)?.[0];
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
