import type { Duplex } from 'node:stream';
import { createWebSocketStream, type WebSocket } from 'ws';
import { QemuError } from '../base/errors.ts';
import type { MachineManager } from '../fleet/machine-manager.ts';
import { notRunning } from '../machine/context.ts';
import { withConsole } from '../machine/control/console.ts';
import { locate } from '../machine/run/locate.ts';
import { openStream } from '../qmp/transport.ts';
import { withHeldSocket } from '../system/files/held-socket.ts';
import { consoleThrough } from './helper.ts';
import { RfbError, RfbFilter } from './rfb-filter.ts';

const CONNECT_MS = 5000;

/** Status of a WebSocket that is closed (RFC 6455, 7.4.1): policy, and try again later. */
const POLICY = 1008;
const TRY_LATER = 1013;

/**
 * Connects a viewer to the screen of a machine, through this process alone.
 *
 * @param mayAct whether keys, pointer and clipboard go through.
 */
export async function serveScreen(
  fleet: () => MachineManager,
  name: string,
  socket: WebSocket,
  mayAct: boolean,
): Promise<void> {
  await serve(socket, async () => {
    const stream = await openScreen(fleet(), name);
    join(socket, stream, mayAct ? undefined : new RfbFilter());
  });
}

/** @throws {QemuError} `QEMU_NOT_RUNNING`, `QEMU_CONFIG_INVALID` for a machine without VNC, `QEMU_QMP_CONNECT`. */
async function openScreen(fleet: MachineManager, name: string): Promise<Duplex> {
  const target = fleet.get(name);
  const located = locate(target.files);
  if (located.kind !== 'alive') throw notRunning(target);
  const vnc = located.record?.vnc;
  if (!vnc) throw new QemuError('QEMU_CONFIG_INVALID', `Machine "${name}" has no VNC`);
  // QEMU takes one new viewer at a time: others that come in the same moment wait.
  const options = { retry: true, signal: AbortSignal.timeout(CONNECT_MS) };
  try {
    if (vnc.port === undefined) {
      return await withHeldSocket(vnc.host, (path) => openStream({ kind: 'unix', path }, options));
    }
    return await openStream({ kind: 'tcp', host: loopbackOf(vnc.host), port: vnc.port }, options);
  } catch (cause) {
    if (cause instanceof QemuError) throw cause;
    throw new QemuError('QEMU_QMP_CONNECT', `The screen of machine "${name}" takes no viewer now`, { cause });
  }
}

/** A server that listens on all addresses is reached on this host. */
function loopbackOf(host: string): string {
  if (host === '0.0.0.0' || host === '') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}

/**
 * Connects a terminal to the serial console, which serves one client: others are told that it is taken.
 *
 * @param helper through which that goes, for a process without the rights.
 */
export async function serveConsole(
  fleet: () => MachineManager,
  name: string,
  socket: WebSocket,
  helper?: string,
): Promise<void> {
  await serve(socket, async () => {
    const all = fleet();
    const target = all.get(name);
    if (helper !== undefined) {
      join(socket, await consoleThrough(helper, target.longName), undefined);
      return;
    }
    await withConsole(all.host, target, all.inspect(target).config, undefined, async (stream) => {
      const closed = new Promise((resolve) => socket.once('close', resolve));
      join(socket, stream, undefined);
      // It may have gone while the console was opened: nobody else may wait for it then.
      if (socket.readyState !== socket.CLOSED) await closed;
    });
  });
}

async function serve(socket: WebSocket, body: () => Promise<void>): Promise<void> {
  // What comes before there is a reader would be lost.
  socket.pause();
  try {
    await body();
  } catch (error) {
    const message = error instanceof QemuError ? error.message : 'failed';
    socket.resume();
    // A reason has at most 123 bytes.
    socket.close(
      TRY_LATER,
      Buffer.from(message)
        .subarray(0, 120)
        .toString()
        .replace(/\uFFFD$/, ''),
    );
  }
}

/** Data waits where its reader is slow; either end closes the other. */
function join(socket: WebSocket, stream: Duplex, filter: RfbFilter | undefined): void {
  const viewer = createWebSocketStream(socket, { readableObjectMode: false });
  const end = (): void => {
    stream.destroy();
    viewer.destroy();
    socket.close();
  };
  for (const each of [stream, viewer]) {
    each.on('error', end);
    each.on('close', end);
  }
  // A filter is not a pipe, and the stream of a socket that has gone has an end, but is not closed.
  socket.once('close', end);
  socket.resume();
  stream.pipe(viewer);
  if (!filter) {
    viewer.pipe(stream);
    return;
  }
  viewer.on('data', (bytes: Buffer) => {
    try {
      const passed = filter.pass(bytes);
      if (passed.length > 0 && !stream.write(passed)) {
        viewer.pause();
        stream.once('drain', () => viewer.resume());
      }
    } catch (error) {
      // The viewer is told why before its end.
      stream.removeListener('close', end);
      stream.destroy();
      viewer.removeAllListeners('data').resume();
      socket.close(POLICY, error instanceof RfbError ? error.message : 'failed');
    }
  });
}
