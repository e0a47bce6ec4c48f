import { existsSync, mkdtempSync, rmdirSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import type { QmpAddress } from '../qmp/address.ts';

import { type FakeCall, type FakeCommand, FakeConnection } from './fake-connection.ts';
import { FAKE_VERSION, makeMachineCommands } from './fake-machine.ts';
import { makeStreamPair } from './memory-stream.ts';
import { renderQemuJson } from './qemu-json.ts';

/** How a fake server behaves. */
export interface FakeQmpOptions {
  /** Where to listen: a unix socket in a separate temporary folder (default), or a free TCP port of 127.0.0.1. */
  readonly listen?: { readonly path: string } | 'tcp' | undefined;
  /** Bytes to greet with instead of QEMU's; empty to keep silent. */
  readonly greeting?: string | undefined;
  /** Offered capabilities; default: `oob`. */
  readonly capabilities?: readonly string[] | undefined;
  /** Commands in addition to those of an idle machine, or instead of them. `qmp_capabilities` may be one of them. */
  readonly commands?: Readonly<Record<string, FakeCommand>> | undefined;
}

/**
 * A QMP server for tests: a real socket whose answers are byte for byte those of QEMU 7.2.22 (`-machine none -S`), and
 * that can be told to misbehave. It serves one client at a time as QEMU does: the next is greeted when the first leaves.
 *
 * @example
 * import { QmpClient } from 'qemu-init';
 * import { FakeQmpServer, NO_ANSWER } from 'qemu-init/testing';
 *
 * const fake = await FakeQmpServer.start({ commands: { 'query-block': () => NO_ANSWER } });
 * try {
 *   const client = await QmpClient.connect(fake.address);
 *   console.log(await client.execute('query-status'));
 *   await client.close();
 * } finally {
 *   await fake.close();
 * }
 */
export class FakeQmpServer implements AsyncDisposable {
  /** Every command that came in, in order, negotiation included. */
  readonly calls: FakeCall[] = [];
  /** Clients that were greeted, in order. */
  readonly connections: FakeConnection[] = [];
  readonly #server: Server;
  readonly #address: QmpAddress;
  readonly #cleanUp: () => void;
  readonly #options: FakeQmpOptions;
  readonly #commands: Readonly<Record<string, FakeCommand>>;
  readonly #streams = new Set<Duplex>();
  readonly #queue: Duplex[] = [];
  readonly #watchers = new Set<() => void>();
  #isServing = false;

  private constructor(options: FakeQmpOptions, server: Server, address: QmpAddress, cleanUp: () => void) {
    this.#options = options;
    this.#server = server;
    this.#address = address;
    this.#cleanUp = cleanUp;
    this.#commands = { ...makeMachineCommands(), ...options.commands };
    server.on('connection', (socket) => this.#accept(socket));
  }

  /** A server that listens. */
  static async start(options: FakeQmpOptions = {}): Promise<FakeQmpServer> {
    const server = createServer({ allowHalfOpen: true });
    if (options.listen === 'tcp') {
      const port = await listen(server, { host: '127.0.0.1', port: 0 });
      return new FakeQmpServer(options, server, { kind: 'tcp', host: '127.0.0.1', port }, () => {});
    }
    const folder = options.listen === undefined ? mkdtempSync(join(tmpdir(), 'fake-qmp-')) : undefined;
    const path = options.listen?.path ?? join(folder ?? '', 'qmp');
    await listen(server, { path });
    const cleanUp = (): void => {
      if (folder === undefined || !existsSync(folder)) return;
      rmSync(path, { force: true });
      rmdirSync(folder);
    };
    return new FakeQmpServer(options, server, { kind: 'unix', path }, cleanUp);
  }

  /** Where it listens. */
  get address(): QmpAddress {
    return this.#address;
  }

  /**
   * A connection without a socket, for the client's address `{ kind: 'stream', stream }`. The client reads pieces of exactly
   * `chunkBytes`, which a socket cannot promise.
   */
  openStream(chunkBytes = Infinity): Duplex {
    const [near, far] = makeStreamPair(chunkBytes);
    this.#accept(near);
    return far;
  }

  /** The n-th client that was greeted, from 0; waits for it. */
  async connection(index = 0): Promise<FakeConnection> {
    return this.#until(() => this.connections[index]);
  }

  /** The n-th call of a command, from 0; waits for it. */
  async call(name: string, index = 0): Promise<FakeCall> {
    return this.#until(() => this.calls.filter((call) => call.name === name)[index]);
  }

  /** Hangs up on all clients and removes the socket. May be called again. */
  async close(): Promise<void> {
    for (const stream of this.#streams) stream.destroy();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    this.#cleanUp();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #accept(stream: Duplex): void {
    this.#streams.add(stream);
    stream.once('close', () => this.#streams.delete(stream));
    stream.on('error', () => {});
    this.#queue.push(stream);
    this.#serveNext();
  }

  #serveNext(): void {
    if (this.#isServing) return;
    let stream = this.#queue.shift();
    while (stream?.destroyed === true) stream = this.#queue.shift();
    if (stream === undefined) return;
    this.#isServing = true;
    stream.once('close', () => {
      this.#isServing = false;
      this.#serveNext();
    });
    const { capabilities = ['oob'] } = this.#options;
    const greeting = this.#options.greeting ?? renderGreeting(capabilities);
    const onCall = (call: FakeCall): void => {
      this.calls.push(call);
      this.#wake();
    };
    this.connections.push(new FakeConnection(stream, { greeting, capabilities, commands: this.#commands, onCall }));
    this.#wake();
  }

  #until<T>(find: () => T | undefined): Promise<T> {
    return new Promise((resolve) => {
      const look = (): void => {
        const found = find();
        if (found === undefined) return;
        this.#watchers.delete(look);
        resolve(found);
      };
      this.#watchers.add(look);
      look();
    });
  }

  #wake(): void {
    for (const look of this.#watchers) look();
  }
}

function renderGreeting(capabilities: readonly string[]): string {
  return `${renderQemuJson({ QMP: { version: FAKE_VERSION, capabilities } })}\r\n`;
}

function listen(server: Server, where: { path: string } | { host: string; port: number }): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(where, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}
