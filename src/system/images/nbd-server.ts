import { chmodSync, chownSync, lchownSync, lstatSync, mkdirSync, mkdtempSync, renameSync } from 'node:fs';
import { createConnection } from 'node:net';
import { dirname, join } from 'node:path';
import { delay, endsWithin } from '../../base/abort.ts';
import { QemuError } from '../../base/errors.ts';
import { fileError } from '../files/file-error.ts';
import { namesIn, removeIfExists } from '../files/files.ts';
import { readTail } from '../files/log/log-file.ts';
import { removeWhole } from '../files/remove-tree.ts';
import { SOCKET_PATH_MAX_BYTES } from '../paths.ts';
import { type Child, spawnChild } from '../process/child.ts';
import { findProgram } from '../process/find-program.ts';
import { readProcess } from '../process/process.ts';
import { countConnections } from '../process/socket-users.ts';
import { lendFile, newImageUser, readerPrefix } from './image-user.ts';

/** How an image is served. */
export interface NbdOptions {
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Called once programs can connect. */
  readonly onReady: () => void;
  /** Ends it when no program has been connected for so long, in milliseconds (default: never). */
  readonly idleMs?: number | undefined;
  /** Called when another number of connections is open than before; at first there is none. */
  readonly onConnections?: ((count: number) => void) | undefined;
}

const READY_MS = 60_000;
const PAUSE_MS = 20;
const END_MS = 10_000;
const LOOK_MS = 500;
/** What a server says first: the NBD protocol, "Handshake phase". */
const GREETING = 'NBDMAGIC';
const CLIENTS = 16;
const LOG_BYTES = 4096;
const FOLDER = /^\.nbd-(\d+)-\w{6}$/;

/**
 * Lets programs of this user read an image by qemu-nbd(8) until the signal: it can be read only, and its server, which
 * reads what a guest has written, runs as a user of nothing else. The server does not outlive this process.
 *
 * @param image as qemu-nbd(8) takes it, such as `json:{…}`.
 * @param socket path of the unix socket; one that a killed server left is replaced.
 * @throws {QemuError} `QEMU_NOT_INSTALLED`, `QEMU_USAGE` for a path that is taken or too long, `QEMU_COMMAND_FAILED` when
 * the image cannot be opened, or the server ends, `QEMU_NOT_PERMITTED`, `QEMU_IO`.
 */
export async function serveImage(image: string, socket: string, options: NbdOptions): Promise<void> {
  const { signal, onReady } = options;
  if (findProgram('qemu-nbd') === undefined) {
    throw new QemuError('QEMU_NOT_INSTALLED', 'There is no program "qemu-nbd"', {
      hint: 'install it (Debian: qemu-utils)',
    });
  }
  await demandFree(socket);
  const folder = makeFolder(socket);
  try {
    const log = join(folder, 'log');
    const room = join(folder, 's');
    const own = join(room, 'n');
    const child = await start(room, image, log, own);
    try {
      await untilItGreets(child, own, log, signal);
      takePlace(room, own, socket);
      onReady();
      if ((await untilOver(child, own, options)) === 'exited') throw ended(log);
    } finally {
      child.kill('SIGTERM');
      if (!(await endsWithin(child.exited, { timeoutMs: END_MS }))) child.kill('SIGKILL');
      removeIfExists(socket);
    }
  } finally {
    removeWhole(folder);
  }
}

async function demandFree(socket: string): Promise<void> {
  if (Buffer.byteLength(socket) > SOCKET_PATH_MAX_BYTES) {
    throw new QemuError('QEMU_USAGE', `The path of socket "${socket}" is longer than ${SOCKET_PATH_MAX_BYTES} bytes`);
  }
  const stats = lstatSync(socket, { throwIfNoEntry: false });
  if (stats === undefined) return;
  if (!stats.isSocket() || (await greets(socket)) !== 'refused') {
    throw new QemuError('QEMU_USAGE', `"${socket}" exists already`, { hint: 'choose another path: --socket PATH' });
  }
  removeIfExists(socket);
}

/** The server makes its socket in a folder in there, at which only the two get. */
function makeFolder(socket: string): string {
  const parent = dirname(socket);
  try {
    for (const name of namesIn(parent)) {
      const [, pid] = FOLDER.exec(name) ?? [];
      // Of one that was killed.
      if (pid !== undefined && readProcess(Number(pid)) === undefined) removeWhole(join(parent, name));
    }
    const folder = mkdtempSync(join(parent, `.nbd-${process.pid}-`));
    chmodSync(folder, 0o711);
    mkdirSync(join(folder, 's'), { mode: 0o700 });
    return folder;
  } catch (error) {
    throw fileError('make', socket, error);
  }
}

function start(room: string, image: string, logPath: string, own: string): Promise<Child> {
  const user = newImageUser();
  const prefix = user !== undefined && lendFile(room, user) ? readerPrefix(user) : [];
  // Last: a change of the user forgets it (prctl(2), PR_SET_PDEATHSIG).
  const leash = findProgram('setpriv') === undefined ? [] : ['setpriv', '--pdeathsig', 'TERM', '--'];
  const server = ['qemu-nbd', '--read-only', '--persistent', `--shared=${CLIENTS}`, `--socket=${own}`, image];
  return spawnChild([...prefix, ...leash, ...server], { logPath, cwd: '/', descriptors: [] });
}

async function untilItGreets(child: Child, own: string, log: string, signal: AbortSignal): Promise<void> {
  let hasEnded = false;
  void child.exited.then(() => {
    hasEnded = true;
  });
  const deadline = performance.now() + READY_MS;
  while ((await greets(own)) !== 'greeted') {
    if (hasEnded) throw ended(log);
    if (performance.now() > deadline) throw new QemuError('QEMU_TIMEOUT', '"qemu-nbd" does not answer');
    await delay(PAUSE_MS, signal);
  }
  // The server sees a moment later that this connection is over: it is not one of a user.
  while ((countConnections(own) ?? 0) > 0 && !hasEnded && performance.now() < deadline) await delay(PAUSE_MS, signal);
}

/** From here on its server can change nothing in its folder any more. */
function takePlace(room: string, own: string, socket: string): void {
  try {
    const [uid, gid] = [process.geteuid?.() ?? 0, process.getegid?.() ?? 0];
    chownSync(room, uid, gid);
    if (!lstatSync(own).isSocket()) throw new Error('it is not a socket');
    lchownSync(own, uid, gid);
    renameSync(own, socket);
  } catch (error) {
    throw fileError('make', socket, error);
  }
}

function greets(path: string): Promise<'greeted' | 'refused' | 'silent'> {
  return new Promise((resolve) => {
    const connection = createConnection(path);
    const end = (outcome: 'greeted' | 'refused' | 'silent'): void => {
      connection.destroy();
      resolve(outcome);
    };
    connection.setTimeout(1_000, () => end('silent'));
    connection.once('error', () => end('refused'));
    connection.once('close', () => end('silent'));
    connection.once('data', (bytes) => end(bytes.toString('latin1').startsWith(GREETING) ? 'greeted' : 'silent'));
  });
}

/** Until the signal, the end of the server, or nobody has used it for long enough. */
async function untilOver(
  { exited }: Child,
  own: string,
  { signal, idleMs = Number.POSITIVE_INFINITY, onConnections }: NbdOptions,
): Promise<'exited' | 'aborted' | 'idle'> {
  let hasEnded = false;
  const end = exited.then(() => {
    hasEnded = true;
  });
  let count = 0;
  for (let usedAt = performance.now(); !signal.aborted; ) {
    // What cannot be counted counts as used.
    const now = countConnections(own) ?? 1;
    if (now !== count) onConnections?.(now);
    count = now;
    if (count > 0) usedAt = performance.now();
    if (performance.now() - usedAt >= idleMs) return 'idle';
    await Promise.race([end, delay(LOOK_MS, signal).catch(() => {})]);
    if (hasEnded && !signal.aborted) return 'exited';
  }
  return 'aborted';
}

function ended(log: string): QemuError {
  const text = readTail(log, 0, LOG_BYTES).trim();
  return new QemuError('QEMU_COMMAND_FAILED', `"qemu-nbd" has ended: ${text === '' ? 'it did not say why' : text}`);
}
