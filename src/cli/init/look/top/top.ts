import { hostname } from 'node:os';
import { styleText } from 'node:util';
import { delay } from '../../../../base/abort.ts';
import { QemuError } from '../../../../base/errors.ts';
import type { MachineRef } from '../../../../machine/context.ts';
import { sampleMachines } from '../../../../metrics/sampler.ts';
import type { Context } from '../../../run/context.ts';
import { type SelectionArguments, select } from '../../../shared/selection.ts';
import { runCommand } from './commands.ts';
import { frame, pageOf } from './frame.ts';
import { nextRows, rowDocument, type TopRow } from './row.ts';
import { keysIn, Screen } from './screen.ts';
import { FIRST_VIEW, press, type View, visibleRows } from './view.ts';

interface Arguments extends SelectionArguments {
  readonly once?: boolean;
  /** Seconds between two looks. */
  readonly interval: number;
}

/** Shows what machines use, all the time or once. */
export async function run(context: Context, args: Arguments): Promise<number> {
  const fleet = context.fleet();
  const chosen = args.ids?.length ? args : { ...args, all: true };
  // Machines come and go while it runs.
  const targets = (): readonly MachineRef[] => {
    const selection = select(context, chosen, () => fleet.listWithRunning());
    const [unknown] = selection.unknown;
    if (unknown) throw unknown.error;
    return selection.targets;
  };
  if (args.once === true) return once(context, targets, args.interval);
  if (!process.stdout.isTTY || !process.stdin.isTTY) {
    throw new QemuError('QEMU_USAGE', 'top needs a terminal', { hint: 'one look for a file or a program: --once' });
  }
  if (context.output.json) throw new QemuError('QEMU_USAGE', '--json is for one look', { hint: 'add --once' });
  await new Top(context, targets, args.interval).run();
  return 0;
}

/** Two samples, since rates are differences. */
async function once(context: Context, targets: () => readonly MachineRef[], interval: number): Promise<number> {
  const fleet = context.fleet();
  const first = nextRows([], await sampleMachines(fleet, targets()));
  await delay(interval * 1000, context.signal);
  const rows = nextRows(first, await sampleMachines(fleet, targets()));
  if (context.output.json) {
    context.output.document(rows.map(rowDocument));
    return 0;
  }
  const size = { columns: process.stdout.columns || 200, rows: rows.length + 4 };
  const about = { all: rows.length, host: hostname(), time: timeText() };
  const lines = frame(visibleRows(rows, FIRST_VIEW), FIRST_VIEW, size, about).slice(0, -1);
  for (const { text } of lines) context.output.line(text);
  return 0;
}

function timeText(): string {
  return new Date().toTimeString().slice(0, 8);
}

/** The live table. */
class Top {
  readonly #context: Context;
  readonly #targets: () => readonly MachineRef[];
  readonly #interval: number;
  readonly #screen = new Screen();
  #rows: readonly TopRow[] = [];
  #view: View = FIRST_VIEW;
  #wake: (() => void) | undefined;
  #isDone = false;
  /** Something else has the terminal. */
  #isAway = false;

  constructor(context: Context, targets: () => readonly MachineRef[], interval: number) {
    this.#context = context;
    this.#targets = targets;
    this.#interval = interval;
  }

  async run(): Promise<void> {
    const { signal } = this.#context;
    const leave = (): void => this.#quit();
    signal.addEventListener('abort', leave, { once: true });
    process.on('exit', this.#restore);
    this.#take();
    try {
      while (!this.#isDone && !signal.aborted) {
        const samples = await sampleMachines(this.#context.fleet(), this.#targets());
        this.#rows = nextRows(this.#rows, samples);
        this.#draw();
        await this.#sleep();
      }
    } finally {
      signal.removeEventListener('abort', leave);
      this.#release();
      process.removeListener('exit', this.#restore);
    }
  }

  readonly #restore = (): void => this.#screen.close();

  readonly #onInput = (data: string | Buffer): void => {
    for (const key of keysIn(data.toString())) this.#press(key);
    this.#draw();
  };

  readonly #onResize = (): void => {
    this.#screen.reset();
    this.#draw();
  };

  /** A shell has had the terminal in the meantime. */
  readonly #onContinue = (): void => {
    if (this.#isAway) return;
    process.stdin.setRawMode(false);
    process.stdin.setRawMode(true);
    this.#screen.close();
    this.#screen.open();
    this.#draw();
  };

  #take(): void {
    this.#isAway = false;
    this.#screen.open();
    process.stdin.setRawMode(true);
    process.stdin.on('data', this.#onInput);
    process.stdin.on('end', this.#onEnd);
    process.stdin.resume();
    process.stdout.on('resize', this.#onResize);
    process.on('SIGCONT', this.#onContinue);
  }

  #release(): void {
    this.#isAway = true;
    process.stdin.removeListener('data', this.#onInput);
    process.stdin.removeListener('end', this.#onEnd);
    process.stdin.setRawMode(false);
    process.stdin.pause();
    process.stdout.removeListener('resize', this.#onResize);
    process.removeListener('SIGCONT', this.#onContinue);
    this.#screen.close();
  }

  /** The terminal was hung up. */
  readonly #onEnd = (): void => this.#quit();

  #quit(): void {
    this.#isDone = true;
    this.#wake?.();
  }

  #press(key: string): void {
    const shown = visibleRows(this.#rows, this.#view);
    const { view, command } = press(this.#view, key, shown, pageOf(this.#screen.size));
    this.#view = view;
    if (command?.kind === 'quit') this.#quit();
    else if (command) void this.#run(command);
  }

  async #run(command: Parameters<typeof runCommand>[1]): Promise<void> {
    const message = await runCommand(this.#context, command, {
      away: () => this.#release(),
      back: () => {
        if (!this.#isDone) this.#take();
      },
    });
    this.#view = { ...this.#view, prompt: message };
    this.#draw();
    this.#wake?.();
  }

  #draw(): void {
    if (this.#isAway || this.#isDone) return;
    const shown = visibleRows(this.#rows, this.#view);
    const about = { all: this.#rows.length, host: hostname(), time: timeText() };
    this.#screen.draw(
      frame(shown, this.#view, this.#screen.size, about, (style, text) =>
        styleText(style, text, { validateStream: true }),
      ),
    );
  }

  /** Until the next look, a key that wants one, or the end. */
  #sleep(): Promise<void> {
    if (this.#isDone) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(done, this.#interval * 1000);
      function done(): void {
        clearTimeout(timer);
        resolve();
      }
      this.#wake = done;
    });
  }
}
