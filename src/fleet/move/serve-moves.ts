import { hostname } from 'node:os';
import { errorToJson } from '../../base/error-json.ts';
import { QemuError } from '../../base/errors.ts';
import { VERSION } from '../../base/version.ts';
import type { MachineRef } from '../../machine/context.ts';
import { locate } from '../../machine/run/locate.ts';
import type { LineQueue } from '../../system/process/line-queue.ts';
import { listenWithWord, type WordSocket } from '../../system/process/word-socket.ts';
import type { Machines } from '../machines.ts';
import { LocalDestination } from './destination.ts';
import { ownMoveFile } from './move-files.ts';
import type { MoveOffer } from './move-offer.ts';
import { missingRoot, placeName } from './places.ts';
import { settleVerdict } from './settle-verdict.ts';
import { type Hello, PROTOCOL, type Request, readRequest } from './wire.ts';

/** The line to the source of a move. */
export interface SourceLine {
  readonly lines: LineQueue;
  readonly send: (text: string) => void;
  readonly signal: AbortSignal;
}

/** What is done with a machine that has arrived. */
export type OnArrived = (target: MachineRef, pid: number) => Promise<void>;

/** A source that has not even sent an empty line for so long is gone, or behind a line that is cut. */
const SILENT_MS = 30_000;
const LOOK_MS = 1_000;

/**
 * The other end of a move: does what the source asks for, line by line, until that ends its line. What was begun and not
 * released by then is undone.
 */
export class MoveServer {
  readonly #machines: Machines;
  readonly #line: SourceLine;
  readonly #onArrived: OnArrived;
  readonly #gone = new AbortController();
  #words: WordSocket | undefined;

  constructor(machines: Machines, line: SourceLine, onArrived: OnArrived) {
    this.#machines = machines;
    this.#line = line;
    this.#onArrived = onArrived;
  }

  async serve(): Promise<void> {
    const { lines, signal } = this.#line;
    const watch = setInterval(() => {
      if (lines.silentMs > SILENT_MS) this.#gone.abort();
    }, LOOK_MS);
    lines.ended.addEventListener('abort', () => this.#gone.abort());
    signal.addEventListener('abort', () => this.#gone.abort());
    const { paths } = this.#machines.host;
    const place = placeName(paths).replace(/^root:\/?/, `${hostname()}:/`);
    this.#send({ receive: PROTOCOL, version: VERSION, place } satisfies Hello);
    try {
      for (let request = await this.#next(); request !== undefined; request = await this.#next()) {
        await this.#answer(request);
      }
    } finally {
      clearInterval(watch);
      this.#words?.close();
    }
  }

  #send(answer: object): void {
    this.#line.send(JSON.stringify(answer));
  }

  /** Undefined: the source is gone. */
  async #next(): Promise<Request | undefined> {
    const gone = this.#gone.signal;
    if (gone.aborted) return undefined;
    const silence = new Promise<undefined>((resolve) => gone.addEventListener('abort', () => resolve(undefined)));
    const line = await Promise.race([this.#line.lines.next(), silence]);
    if (line === undefined) return undefined;
    const request = readRequest(line);
    if (request === undefined) this.#send({ error: errorToJson(new QemuError('QEMU_USAGE', 'This is not a request')) });
    return request;
  }

  async #answer(request: Request): Promise<void> {
    try {
      this.#send(await this.#do(request));
    } catch (error) {
      if (!(error instanceof QemuError)) throw error;
      this.#send({ error: errorToJson(error) });
    }
  }

  async #do(request: Request): Promise<object> {
    const signal = this.#gone.signal;
    const missing = missingRoot(this.#machines.host.paths);
    if (missing !== undefined) throw new QemuError('QEMU_MACHINE_STATE', missing);
    switch (request.do) {
      case 'listen':
        return this.#listen();
      case 'describe':
        return this.#describe(request.names);
      case 'check':
        return { problems: await new LocalDestination(this.#machines).check(request.offer, signal) };
      case 'receive':
        return this.#receive(request.offer);
      case 'settle':
        return settleVerdict(this.#machines, request, signal);
      case 'finish':
        return {};
      default:
        throw new QemuError('QEMU_USAGE', `"${request.do}" is not due`);
    }
  }

  async #describe(names: readonly string[]): Promise<object> {
    const { nodeFacts } = await import('../cluster/describe-node.ts');
    const machines = [];
    for (const name of names) machines.push(await nodeFacts(this.#machines, name));
    return { machines };
  }

  async #listen(): Promise<object> {
    const socket = ownMoveFile(this.#machines.host.paths, 'there');
    this.#words?.close();
    this.#words = await listenWithWord(socket);
    return { socket, word: this.#words.word };
  }

  /** The answers to all but the last request, which is `finish`. */
  async #receive(offer: MoveOffer): Promise<object> {
    this.#words?.close();
    this.#words = undefined;
    const there = new LocalDestination(this.#machines);
    await there.receive(
      offer,
      async ({ uri, disks, switching, arrived, disksArrived, release }) => {
        this.#send({ socket: uri.replace(/^unix:/, ''), disks });
        await this.#expect('switching');
        await switching();
        this.#send({});
        await this.#expect('arrived');
        await arrived();
        this.#send({});
        if (disks !== undefined) {
          await this.#expect('disks');
          await disksArrived();
          this.#send({});
        }
        await this.#expect('release');
        this.#send({ state: await release() });
      },
      this.#gone.signal,
    );
    const target = this.#machines.list().find(({ longName }) => longName === offer.name);
    const located = target && locate(target.files);
    if (target && located?.kind === 'alive') await this.#onArrived(target, located.process.pid);
    await this.#next();
    return {};
  }

  async #expect(wanted: Request['do']): Promise<void> {
    const request = await this.#next();
    if (request === undefined) throw new QemuError('QEMU_ABORTED', 'The line to the source of the move is lost');
    if (request.do !== wanted) throw new QemuError('QEMU_USAGE', `"${request.do}" is not due`);
  }
}
