import { once } from 'node:events';
import { fstatSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import { styleText } from 'node:util';
import type { Notice } from '../../machine/context.ts';
import { printJson } from './print-json.ts';
import { printable, printableCell } from './printable.ts';
import { type Fitting, fitTable, tableLines } from './table.ts';

export interface OutputOptions {
  readonly json?: boolean | undefined;
  readonly quiet?: boolean | undefined;
  readonly verbose?: boolean | undefined;
  readonly debug?: boolean | undefined;
  /** Undefined: decided by NO_COLOR, FORCE_COLOR and the terminal. */
  readonly color?: boolean | undefined;
}

export type Level = 'error' | Notice['level'];

/** A colour of the terminal's own palette, or fainter than the rest. */
export type Style = 'red' | 'green' | 'yellow' | 'dim';

/** sd-daemon(3): what systemd takes for the priority of a line. */
const JOURNAL_PRIORITY: Readonly<Record<Level, string>> = {
  error: '<3>',
  warning: '<4>',
  info: '<6>',
  debug: '<7>',
  trace: '<7>',
};

/**
 * Results go to stdout, everything else to stderr. The only place that writes to either.
 *
 * Output to a terminal has no control characters, whatever its source; output to a file or another program is
 * unchanged. Only sessions that connect a terminal to a monitor or a console pass everything through (`attach`).
 */
export class Output {
  readonly json: boolean;
  readonly debug: boolean;
  readonly #options: OutputOptions;
  readonly #journal: boolean;
  readonly #color: boolean;
  readonly #resultColor: boolean;
  readonly #decoder = new StringDecoder('utf8');
  #hasDocument = false;
  /** What {@link fleeting} shows now. */
  #fleeting: string | undefined;

  constructor(options: OutputOptions, env: NodeJS.ProcessEnv = process.env) {
    this.#options = options;
    this.json = options.json === true;
    this.debug = options.debug === true;
    this.#journal = isJournal(env['JOURNAL_STREAM']);
    this.#color = options.color ?? wantsColor(env, process.stderr);
    this.#resultColor = options.color ?? wantsColor(env, process.stdout);
  }

  /** A line of the result. */
  line(text: string): void {
    if (this.#options.quiet) return;
    this.fleeting(undefined);
    process.stdout.write(`${isTerminal(process.stdout) ? printable(text) : text}\n`);
  }

  /** The result as it is, such as a monitor's answer or a log; a part of it may end within a character. */
  raw(data: string | Uint8Array): void {
    process.stdout.write(this.#shown(data));
  }

  /** What a program in a guest has printed on its standard error, as it is. */
  rawError(data: string | Uint8Array): void {
    const text = typeof data === 'string' ? data : new StringDecoder('utf8').write(Buffer.from(data));
    process.stderr.write(isTerminal(process.stderr) ? printable(text) : data);
  }

  /**
   * The same for a part of an endless result: resolves when the reader accepts more, so that output for a slow reader
   * does not pile up here. Also resolves when the reader is gone, or the signal comes.
   */
  async paced(data: string | Uint8Array, signal: AbortSignal): Promise<void> {
    if (process.stdout.write(this.#shown(data))) return;
    await once(process.stdout, 'drain', { signal }).catch(() => {});
  }

  /** Whether stderr is a terminal, and more than errors is wanted. */
  get isWatched(): boolean {
    return isTerminal(process.stderr) && !this.json && this.#options.quiet !== true;
  }

  /** Whether long work is shown as a bar, in place of lines. */
  get hasBar(): boolean {
    return isTerminal(process.stderr) && !this.#journal && process.env['TERM'] !== 'dumb';
  }

  /**
   * A line on the terminal of stderr that the next one replaces and any other output removes; undefined removes it. It is
   * cut to the width.
   */
  fleeting(text: string | undefined): void {
    if (!this.hasBar || this.#options.quiet === true || (text === undefined && this.#fleeting === undefined)) return;
    this.#fleeting = text;
    const shown = text === undefined ? '' : printableCell(text).slice(0, this.fleetingWidth);
    // ECMA-48: carriage return, and erase in line.
    process.stderr.write(`\r\u001b[K${shown}`);
  }

  /** Characters of {@link fleeting} that are shown. */
  get fleetingWidth(): number {
    return Math.max(1, (process.stderr.columns || 80) - 1);
  }

  /** Whether the JSON document has been printed. */
  get hasDocument(): boolean {
    return this.#hasDocument;
  }

  /** The result as one JSON document. */
  document(value: unknown): void {
    this.#hasDocument = true;
    this.fleeting(undefined);
    const text = printJson(value);
    process.stdout.write(`${isTerminal(process.stdout) ? printable(text) : text}\n`);
  }

  /** A message that is not part of the result. */
  note(level: Level, text: string): void {
    if (level === 'trace' && !this.debug) return;
    if (level === 'debug' && !this.debug && this.#options.verbose !== true) return;
    if (level !== 'error' && this.#options.quiet === true) return;
    const prefix = this.#journal ? JOURNAL_PRIORITY[level] : '';
    const shown = (isTerminal(process.stderr) ? printable(text) : text)
      .split('\n')
      .map((each) => `${prefix}${each}`)
      .join('\n');
    const bar = this.#fleeting;
    this.fleeting(undefined);
    process.stderr.write(`${this.#paint(level, shown)}\n`);
    this.fleeting(bar);
  }

  /** A notice of the lower layers. */
  notice(notice: Notice): void {
    const about = notice.machine === undefined ? '' : `${notice.machine}: `;
    const kind = notice.level === 'warning' ? 'warning: ' : '';
    this.note(notice.level, `${about}${kind}${notice.message}`);
  }

  /**
   * Rows in columns, the first one with the headings. On a terminal it fits the width, and cells are as `styleOf` says.
   */
  table(
    table: readonly (readonly string[])[],
    fitting: Fitting = {},
    styleOf: (cell: string, heading: string) => Style | undefined = () => undefined,
  ): void {
    if (this.#options.quiet) return;
    const onTerminal = isTerminal(process.stdout);
    const rows = onTerminal ? table.map((row) => row.map(printableCell)) : table;
    const lines = tableLines(
      fitTable(rows, fitting, onTerminal ? process.stdout.columns || undefined : undefined),
      (cell, heading) => {
        const style = this.#resultColor ? styleOf(cell, heading) : undefined;
        return style === undefined ? cell : styleText(style, cell, { validateStream: false });
      },
    );
    process.stdout.write(`${lines.join('\n')}\n`);
  }

  #shown(data: string | Uint8Array): string | Uint8Array {
    if (!isTerminal(process.stdout)) return data;
    return printable(typeof data === 'string' ? data : this.#decoder.write(data));
  }

  #paint(level: Level, text: string): string {
    if (!this.#color || this.#journal) return text;
    const format = { error: 'red', warning: 'yellow', info: 'dim', debug: 'dim', trace: 'dim' } as const;
    return styleText(format[level], text, { validateStream: false });
  }
}

function isTerminal(stream: NodeJS.WriteStream): boolean {
  return stream.isTTY === true;
}

/**
 * Whether stderr goes to the journal: systemd.exec(5), $JOURNAL_STREAM. Programs in a unit inherit the variable, but
 * may write elsewhere.
 */
function isJournal(stream: string | undefined): boolean {
  if (stream === undefined) return false;
  try {
    const { dev, ino } = fstatSync(process.stderr.fd, { bigint: true });
    return stream === `${dev}:${ino}`;
  } catch {
    // It is closed.
    return false;
  }
}

/** https://no-color.org, https://force-color.org; terminfo(5) has no colours for `dumb`. */
function wantsColor(env: NodeJS.ProcessEnv, stream: NodeJS.WriteStream): boolean {
  if (env['NO_COLOR']) return false;
  if (env['FORCE_COLOR']) return env['FORCE_COLOR'] !== '0';
  return isTerminal(stream) && env['TERM'] !== 'dumb';
}
