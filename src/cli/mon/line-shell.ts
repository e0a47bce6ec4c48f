import { createInterface, type Interface } from 'node:readline';
import { QemuError } from '../../base/errors.ts';
import { describeError } from '../output/report.ts';
import type { Context } from '../run/context.ts';
import { exitCodeOf, INTERRUPTED } from '../run/exit-code.ts';

/** A dialogue of lines, each of which is answered before the next is read. */
export interface LineShell {
  readonly prompt: string;
  /** Shown first on a terminal. */
  readonly greeting: string;
  /** Candidates for the last word of a line, and that word. */
  readonly complete: (line: string) => [string[], string];
  /** Answers a line that is neither empty nor a comment. Returns an exit status; errors that it throws are shown. */
  readonly answer: (line: string, signal: AbortSignal) => Promise<number>;
}

/**
 * Holds the dialogue on the terminal, with history and completion, or with a pipe. `exit` and Ctrl-D leave; Ctrl-C
 * cancels a waiting command, or the line being typed.
 *
 * @returns the worst status of a pipe's lines; 0 on a terminal, where failures were seen.
 */
export async function runLineShell(context: Context, shell: LineShell): Promise<number> {
  const { output, signal } = context;
  const { stdin, stdout } = process;
  const isTerminal = stdin.isTTY === true && stdout.isTTY === true;
  const lines = createInterface({
    input: stdin,
    ...(isTerminal && {
      output: stdout,
      completer: (line: string) => typeable(shell.complete(line)),
      removeHistoryDuplicates: true,
    }),
    prompt: shell.prompt,
    historySize: 1_000,
    signal,
  });
  let running: AbortController | undefined;
  lines.on('SIGINT', () => {
    if (running) running.abort();
    else startAnew(lines);
  });
  // The terminal was hung up (EIO).
  stdin.on('error', () => lines.close());
  let worst = 0;
  if (isTerminal) {
    output.note('info', shell.greeting);
    lines.prompt();
  }
  for await (const line of lines) {
    const text = line.trim();
    if (text === 'exit') break;
    if (text !== '' && !text.startsWith('#')) {
      running = new AbortController();
      const code = await answer(context, shell, text, AbortSignal.any([signal, running.signal]));
      running = undefined;
      worst = Math.max(worst, code);
    }
    if (isTerminal) lines.prompt();
  }
  lines.close();
  if (signal.aborted) return INTERRUPTED;
  return isTerminal ? 0 : worst;
}

async function answer(context: Context, shell: LineShell, text: string, signal: AbortSignal): Promise<number> {
  try {
    return await shell.answer(text, signal);
  } catch (error) {
    if (!(error instanceof QemuError)) throw error;
    if (!context.signal.aborted) context.output.note('error', describeError(error, context.output.debug));
    return exitCodeOf(error);
  }
}

/** Names of commands and values from QEMU are offered only if a person could type them. */
function typeable([candidates, last]: [string[], string]): [string[], string] {
  return [candidates.filter((candidate) => /^[\x21-\x7e]*$/.test(candidate)), last];
}

function startAnew(lines: Interface): void {
  lines.write(null, { ctrl: true, name: 'e' });
  lines.write(null, { ctrl: true, name: 'u' });
  process.stdout.write('\n');
  lines.prompt();
}
