import { createServer, type Server, type Socket } from 'node:net';
import { listenForAbort } from '../base/abort.ts';
import { QemuError } from '../base/errors.ts';
import type { QmpAddress } from './address.ts';

/** Where to listen: a unix socket, or a TCP port of one host address (0 for a free one). */
export type ListenTarget =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number };

/**
 * Waits for a QEMU that connects to us (`-chardev socket,…,server=off`), which spares polling for its socket. Takes
 * exactly one connection; later connections are refused.
 *
 * @example
 * import { QmpClient, QmpListener, TransientMachine } from 'qemu-init';
 *
 * const listener = await QmpListener.listen({ kind: 'tcp', host: '127.0.0.1', port: 0 });
 * const args = ['-accel', 'tcg', '-m', '64', '-S', '-qmp', `tcp:127.0.0.1:${listener.port}`];
 * const machine = new TransientMachine({ args });
 * try {
 *   await machine.launch();
 *   const client = await QmpClient.connect(listener.address);
 *   console.log(client.greeting?.version.major);
 *   await client.close();
 * } finally {
 *   await machine.kill();
 *   await listener.close();
 * }
 */
export class QmpListener implements AsyncDisposable {
  /** What to pass to {@link QmpClient.connect}. */
  readonly address: QmpAddress = { kind: 'listener', listener: this };
  /** The port that is listened on; 0 for a unix socket. */
  readonly port: number;
  readonly #server: Server;
  readonly #arrival: Promise<Socket>;
  #isTaken = false;

  private constructor(server: Server) {
    const bound = server.address();
    this.port = typeof bound === 'object' && bound !== null ? bound.port : 0;
    this.#server = server;
    this.#arrival = new Promise((resolve) => {
      server.on('connection', (socket) => {
        // Those that were in the backlog already still arrive after `close`.
        if (this.#isTaken) {
          socket.destroy();
          return;
        }
        this.#isTaken = true;
        socket.on('error', () => {});
        server.close();
        resolve(socket);
      });
    });
  }

  /**
   * Starts to listen. A unix socket belongs into a folder of mode 0700: any process that can connect can run commands.
   *
   * @throws {QemuError} QEMU_QMP_CONNECT when the address is taken or not permitted.
   */
  static async listen(target: ListenTarget): Promise<QmpListener> {
    const server = createServer();
    const where = target.kind === 'unix' ? { path: target.path } : { host: target.host, port: target.port };
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause) => {
        const shown = target.kind === 'unix' ? target.path : `${target.host}:${target.port}`;
        reject(new QemuError('QEMU_QMP_CONNECT', `Cannot listen at "${shown}"`, { cause }));
      });
      server.listen({ ...where, backlog: 1 }, resolve);
    });
    return new QmpListener(server);
  }

  /** The connection, once it comes. Rejects with the reason of the signal. Called by {@link QmpClient.connect}. */
  async accept(signal: AbortSignal): Promise<Socket> {
    let ignoreSignal = (): void => {};
    const aborted = new Promise<never>((_resolve, reject) => {
      ignoreSignal = listenForAbort(signal, () => reject(signal.reason));
    });
    try {
      return await Promise.race([this.#arrival, aborted]);
    } finally {
      ignoreSignal();
    }
  }

  /** Stops listening and removes the unix socket; a connection that was handed out goes on. May be called again. */
  async close(): Promise<void> {
    this.#isTaken = true;
    await new Promise<void>((resolve) => {
      if (this.#server.listening) this.#server.close(() => resolve());
      else resolve();
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
