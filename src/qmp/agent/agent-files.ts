import { errorCode, QemuError } from '../../base/errors.ts';
import { AnswerReader } from './agent-answers.ts';
import type { AgentCommandOptions, AgentDialogue } from './agent-dialogue.ts';
import { badReply } from './agent-session.ts';

/** Bytes of one piece: the agent reads it as a whole before it answers. */
const PIECE_BYTES = 48 * 1024;
/** The least of what callers give that is taken for opening a file, too. */
const OPEN_MS = 3_000;
/** For an agent that was only slow. */
const LAST_TRY_MS = 1_000;

/** See {@link AgentClient.readFile}. */
export async function* readGuestFile(
  session: AgentDialogue,
  path: string,
  options: AgentCommandOptions,
): AsyncGenerator<Buffer, void, undefined> {
  const handle = await open(session, path, 'r', options);
  let isSilent = false;
  try {
    for (let isEnd = false; !isEnd; ) {
      const reader = new AnswerReader('guest-file-read');
      const answer = reader.record(await session.execute('guest-file-read', { handle, count: PIECE_BYTES }, options));
      const piece = reader.bytes(answer['buf-b64'], 'buf-b64');
      isEnd = answer['eof'] === true;
      if (piece.length > PIECE_BYTES) throw badReply('guest-file-read', 'it is longer than what was asked for');
      if (piece.length === 0 && !isEnd) throw badReply('guest-file-read', 'it is empty before the end of the file');
      if (piece.length > 0) yield piece;
    }
  } catch (error) {
    isSilent = isSilence(error);
    throw error;
  } finally {
    await closeQuietly(session, handle, isSilent);
  }
}

/** See {@link AgentClient.writeFile}. */
export async function writeGuestFile(
  session: AgentDialogue,
  path: string,
  data: Uint8Array | AsyncIterable<Uint8Array>,
  options: AgentCommandOptions,
): Promise<void> {
  const handle = await open(session, path, 'w', options);
  try {
    if (data instanceof Uint8Array) await writeAll(session, handle, data, options);
    else for await (const part of data) await writeAll(session, handle, part, options);
    await session.execute('guest-file-flush', { handle }, options);
  } catch (error) {
    await closeQuietly(session, handle, isSilence(error));
    throw error;
  }
  // What a full disk has kept back until now is said here.
  await session.execute('guest-file-close', { handle }, options);
}

async function writeAll(
  session: AgentDialogue,
  handle: number | bigint,
  data: Uint8Array,
  options: AgentCommandOptions,
): Promise<void> {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  for (let at = 0; at < bytes.length; ) {
    const piece = bytes.subarray(at, at + PIECE_BYTES);
    const args = { handle, 'buf-b64': piece.toString('base64') };
    const reader = new AnswerReader('guest-file-write');
    const answer = reader.record(await session.execute('guest-file-write', args, options));
    const written = reader.count(answer['count'], 'count', piece.length);
    if (written === 0) throw badReply('guest-file-write', 'nothing was written');
    at += written;
  }
}

async function open(
  session: AgentDialogue,
  path: string,
  mode: 'r' | 'w',
  options: AgentCommandOptions,
): Promise<number | bigint> {
  const { signal, timeoutMs } = options;
  // Only a piece may wait for a disk: an agent that is not there shows here, by the default limit.
  const limits = { signal, ...(timeoutMs !== undefined && timeoutMs < OPEN_MS && { timeoutMs }) };
  const handle = await session.execute('guest-file-open', { path, mode }, limits);
  if (typeof handle === 'number' || typeof handle === 'bigint') return handle;
  throw badReply('guest-file-open', 'the handle is not a number');
}

/** Whether nothing came in time: then closing the file must not take as long again. */
function isSilence(error: unknown): boolean {
  return ['QEMU_TIMEOUT', 'QEMU_NO_AGENT'].includes(errorCode(error) ?? '');
}

/** An agent keeps a file open until it ends. What has happened before this is what is to be told. */
async function closeQuietly(session: AgentDialogue, handle: number | bigint, isSilent: boolean): Promise<void> {
  try {
    await session.execute('guest-file-close', { handle }, isSilent ? { timeoutMs: LAST_TRY_MS } : {});
  } catch (error) {
    if (!(error instanceof QemuError)) throw error;
  }
}
