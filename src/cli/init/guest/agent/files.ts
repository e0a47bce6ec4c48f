import { closeSync } from 'node:fs';
import { QemuError } from '../../../../base/errors.ts';
import type { OnProgress } from '../../../../base/progress.ts';
import { fileError } from '../../../../system/files/file-error.ts';
import { readHeld } from '../../../../system/files/read-held.ts';
import { writeWhole } from '../../../../system/files/whole-file.ts';
import { type OpenFile, openNamed } from '../../../../system/trust/open-named.ts';
import { stdinPieces } from '../../../input/stdin-pieces.ts';
import { showProgress } from '../../../output/progress.ts';
import type { AgentAnswer, AgentCall } from './agent-command.ts';

/** Standard input or output. */
const STANDARD = '-';
/** Pieces of a local file. */
const PIECE_BYTES = 256 * 1024;
/** A guest may send a file without an end: this much is taken for a file of the host. */
const MOST_BYTES = 16 * 1024 ** 3;
/** Each piece that is written has this long: a guest may be busy with its disk. */
const PIECE_MS = 30_000;
/** Whoever is to write to a pipe has this long to open it. */
const WRITER_MS = 60_000;

/** `get FILE [LOCAL]`: copies a file from the guest, to standard output without a second name. */
export async function get({ agent, target, context, words }: AgentCall): Promise<AgentAnswer> {
  const [file = '', local = STANDARD] = words;
  const { output, signal } = context;
  if (local === STANDARD && output.json) {
    throw new QemuError('QEMU_USAGE', 'A file cannot be printed as JSON', { hint: 'name a file to write it to' });
  }
  const pieces = agent.readFile(file, { signal });
  if (local === STANDARD) {
    let sizeBytes = 0;
    for await (const piece of pieces) {
      sizeBytes += piece.length;
      await output.paced(piece, signal);
    }
    return { json: { file, local: null, sizeBytes } };
  }
  const sizeBytes = await showProgress(output, target.longName, (onProgress) =>
    writeWhole(local, 0o666, counted(pieces, { phase: `reading ${file}`, total: 0, onProgress })),
  );
  return {
    json: { file, local, sizeBytes },
    text: `${target.longName}: ${file} is now in ${local}: ${sizeBytes} bytes`,
  };
}

/** `put LOCAL FILE`: copies a file into the guest. */
export async function put(call: AgentCall): Promise<AgentAnswer> {
  const [local = ''] = call.words;
  if (local === STANDARD) return send(call, stdinPieces(call.context.signal), 0);
  const held = openLocal(local);
  try {
    const source = readHeld(local, held, {
      pieceBytes: PIECE_BYTES,
      timeoutMs: WRITER_MS,
      signal: call.context.signal,
    });
    return await send(call, source, held.stats.size);
  } finally {
    closeSync(held.descriptor);
  }
}

async function send(
  { agent, target, context, words }: AgentCall,
  source: AsyncIterable<Uint8Array>,
  total: number,
): Promise<AgentAnswer> {
  const [local = '', file = ''] = words;
  const { output, signal } = context;
  let sizeBytes = 0;
  await showProgress(output, target.longName, (onProgress) => {
    const report: OnProgress = (progress) => {
      sizeBytes = progress.done;
      onProgress(progress);
    };
    const data = counted(source, { phase: `writing ${file}`, total, onProgress: report });
    return agent.writeFile(file, data, { timeoutMs: PIECE_MS, signal });
  });
  const text = `${target.longName}: ${local} is now ${file}: ${sizeBytes} bytes`;
  return { json: { file, local: local === STANDARD ? null : local, sizeBytes }, text };
}

function openLocal(path: string): OpenFile {
  try {
    return openNamed(path, (stats) => {
      if (stats.isDirectory()) throw new QemuError('QEMU_USAGE', `"${path}" is a folder`);
    });
  } catch (error) {
    throw error instanceof QemuError ? error : fileError('read', path, error);
  }
}

/** The pieces, with what has passed reported. @throws {QemuError} `QEMU_IO` for more than anyone wants. */
async function* counted(
  pieces: AsyncIterable<Uint8Array>,
  { phase, total, onProgress }: { readonly phase: string; readonly total: number; readonly onProgress: OnProgress },
): AsyncGenerator<Uint8Array, void, undefined> {
  let done = 0;
  onProgress({ phase, done, total });
  for await (const piece of pieces) {
    done += piece.length;
    if (done > MOST_BYTES) throw new QemuError('QEMU_IO', `The file has more than ${MOST_BYTES} bytes`);
    yield piece;
    onProgress({ phase, done, total });
  }
}
