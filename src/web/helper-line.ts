import type { Duplex, Readable } from 'node:stream';
import { isRecord } from '../base/guards.ts';

/**
 * What the server of the page and its helper say to each other, one JSON object a line. The server begins with a
 * {@link HelperRequest}. For an action there come {@link HelperAnswer}s, the last of which has a result or an error; a server that
 * ends its side cancels it. For a console there is one answer, and after `{"open":true}` all is what is typed and printed.
 */
export type HelperRequest =
  | { readonly do: 'act'; readonly machine: string; readonly action: string; readonly wish: unknown }
  | { readonly do: 'console'; readonly machine: string };

/** One of its members. */
export interface HelperAnswer {
  readonly progress?: unknown;
  readonly step?: unknown;
  readonly result?: unknown;
  readonly error?: unknown;
  readonly open?: unknown;
}

/** A request; undefined when it is not one. Pure. */
export function readHelperRequest(line: string | undefined): HelperRequest | undefined {
  const { do: what, machine, action, wish } = objectIn(line);
  if (typeof machine !== 'string') return undefined;
  if (what === 'console') return { do: what, machine };
  return what === 'act' && typeof action === 'string' ? { do: what, machine, action, wish } : undefined;
}

/** An answer; of anything else no member is there. Pure. */
export function readHelperAnswer(line: string): HelperAnswer {
  return objectIn(line);
}

/** Longest line: texts that people type, and a plan of a stop. */
const MOST_BYTES = 256 * 1024;
const LINE_FEED = 0x0a;

/**
 * The next line, without what comes after it. Undefined at the end of the stream, and for a line that is too long.
 *
 * @throws the error of the stream.
 */
export async function nextLine(stream: Readable): Promise<string | undefined> {
  const pieces: Buffer[] = [];
  let length = 0;
  for (;;) {
    const piece: Buffer | null = stream.read();
    if (piece === null) {
      if (!(await hasMore(stream))) return undefined;
      continue;
    }
    const end = piece.indexOf(LINE_FEED);
    pieces.push(end < 0 ? piece : piece.subarray(0, end));
    length += piece.length;
    if (end >= 0) {
      if (end + 1 < piece.length) stream.unshift(piece.subarray(end + 1));
      return Buffer.concat(pieces).toString();
    }
    if (length > MOST_BYTES) return undefined;
  }
}

/** Sends one of them. */
export function sendLine(stream: Pick<Duplex, 'write'>, value: HelperRequest | HelperAnswer): void {
  stream.write(`${JSON.stringify(value)}\n`);
}

function hasMore(stream: Readable): Promise<boolean> {
  if (stream.readableEnded || stream.destroyed) return Promise.resolve(false);
  return new Promise((resolve, reject) => {
    const over = (): void => done(() => resolve(false));
    const more = (): void => done(() => resolve(true));
    const failed = (error: Error): void => done(() => reject(error));
    function done(then: () => void): void {
      stream.off('readable', more).off('end', over).off('close', over).off('error', failed);
      then();
    }
    stream.once('readable', more).once('end', over).once('close', over).once('error', failed);
  });
}

function objectIn(line: string | undefined): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(line ?? 'null');
    return isRecord(value) ? value : {};
  } catch {
    return {};
  }
}
