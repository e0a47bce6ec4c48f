import type { FrameLine, Size } from './frame.ts';
import type { Key } from './view.ts';

/** The second screen of the terminal without a cursor, and back (xterm control sequences). */
const ENTER = '\u001B[?1049h\u001B[?25l';
const LEAVE = '\u001B[?25h\u001B[?1049l';
const REVERSE = '\u001B[7m';
const RESET = '\u001B[0m';
const CLEAR_LINE = '\u001B[K';

/** A screen that is drawn line by line, where only lines that have changed are sent. */
export class Screen {
  #lines: string[] = [];
  #isOpen = false;

  get size(): Size {
    return { columns: process.stdout.columns || 80, rows: process.stdout.rows || 24 };
  }

  open(): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    this.#lines = [];
    process.stdout.write(ENTER);
  }

  /** Gives the terminal back as it was. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    process.stdout.write(LEAVE);
  }

  /** Forgets what is shown, since the size has changed or something else was on the screen. */
  reset(): void {
    this.#lines = [];
    process.stdout.write('\u001B[2J');
  }

  draw(lines: readonly FrameLine[]): void {
    const { rows } = this.size;
    const texts = lines.slice(0, rows).map(({ text, isSelected }) => (isSelected ? `${REVERSE}${text}${RESET}` : text));
    const changes = texts.flatMap((text, at) =>
      text === this.#lines[at] ? [] : [`\u001B[${at + 1};1H${text}${CLEAR_LINE}`],
    );
    this.#lines = texts;
    if (changes.length > 0) process.stdout.write(changes.join(''));
  }
}

const SEQUENCES: Readonly<Record<string, Key>> = {
  '\u001B[A': 'up',
  '\u001BOA': 'up',
  '\u001B[B': 'down',
  '\u001BOB': 'down',
  '\u001B[5~': 'page-up',
  '\u001B[6~': 'page-down',
  '\u001B[H': 'home',
  '\u001B[1~': 'home',
  '\u001BOH': 'home',
  '\u001B[F': 'end',
  '\u001B[4~': 'end',
  '\u001BOF': 'end',
  '\r': 'enter',
  '\n': 'enter',
  '\u007F': 'backspace',
  '\b': 'backspace',
  '\u0003': 'ctrl-c',
  '\u001B': 'escape',
};

/** A sequence of the terminal, or one character (ECMA-48, 5.4). */
const PIECE = new RegExp(`${'\u001B'}(?:\\[[0-9;]*[A-Za-z~]|O[A-Za-z])?|[^${'\u001B'}]`, 'gu');

/** Keys in what a terminal sends; sequences that are not known are left out. Pure. */
export function keysIn(text: string): Key[] {
  return [...text.matchAll(PIECE)].flatMap(([piece]) => {
    const key = SEQUENCES[piece];
    if (key !== undefined) return [key];
    return piece.startsWith('\u001B') || piece < ' ' ? [] : [piece];
  });
}
