import { QemuError } from '../../base/errors.ts';
import { stdinPieces } from './stdin-pieces.ts';

/** More is not a password. */
const MOST_BYTES = 4096;
const CTRL_C = '\u0003';
/** Enter and Ctrl-D. */
const ENDS = ['\r', '\n', '\u0004'];
/** Backspace and Delete. */
const ERASES = ['\b', '\u007f'];

/**
 * A password: asked for twice on a terminal, where it is not shown; otherwise the first line of standard input. Never
 * an argument, which every user of the host could read.
 *
 * @throws {QemuError} `QEMU_ABORTED` on Ctrl-C and when the signal comes; `QEMU_USAGE` for an empty or an overlong one,
 * and when the two differ.
 */
export async function readSecret(question: string, signal: AbortSignal): Promise<string> {
  if (!process.stdin.isTTY) return checked(await firstLine(signal));
  const secret = checked(await askHidden(`${question}: `, signal));
  if ((await askHidden('Again: ', signal)) === secret) return secret;
  throw new QemuError('QEMU_USAGE', 'The two passwords differ');
}

function checked(secret: string): string {
  if (secret === '') throw new QemuError('QEMU_USAGE', 'No password was given');
  if (Buffer.byteLength(secret) > MOST_BYTES) throw new QemuError('QEMU_USAGE', 'The password is too long');
  return secret;
}

async function firstLine(signal: AbortSignal): Promise<string> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of stdinPieces(signal)) {
    pieces.push(piece);
    length += piece.length;
    if (piece.includes('\n') || length > MOST_BYTES) break;
  }
  return Buffer.concat(pieces).toString().split(/\r?\n/)[0] ?? '';
}

/** Raw mode, as there is no other way to keep the terminal from showing what is typed; it is always left again. */
function askHidden(question: string, signal: AbortSignal): Promise<string> {
  const { stdin, stderr } = process;
  stderr.write(question);
  stdin.setEncoding('utf8').setRawMode(true);
  return new Promise<string>((resolve, reject) => {
    let text = '';
    const finish = (end: () => void): void => {
      stdin.off('data', take).off('end', abort);
      signal.removeEventListener('abort', abort);
      stdin.setRawMode(false).pause();
      stderr.write('\n');
      end();
    };
    const abort = (): void => finish(() => reject(new QemuError('QEMU_ABORTED', 'Interrupted')));
    const take = (typed: string): void => {
      const chars = Array.from(typed);
      for (const [at, char] of chars.entries()) {
        const rest = chars.slice(at + 1).join('');
        if (char === CTRL_C) abort();
        if (ENDS.includes(char)) finish(() => resolve(text));
        if (char === CTRL_C || ENDS.includes(char)) {
          // What was pasted at once holds the answer to the next question, too.
          if (rest !== '') stdin.unshift(rest);
          return;
        }
        text = ERASES.includes(char) ? text.slice(0, -1) : text + char;
      }
    };
    if (signal.aborted) {
      abort();
      return;
    }
    signal.addEventListener('abort', abort, { once: true });
    stdin.on('data', take).on('end', abort).resume();
  });
}
