import { once } from 'node:events';
import { renameSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import type { Lab } from './lab.ts';
import type { Cleanup } from './temp-root.ts';

/** What a captured QEMU makes of the answer to a command; undefined: it never answers. */
export type Lie = (value: unknown, command: string) => unknown;

/** How a captured QEMU talks. */
export interface LyingWay {
  /** What becomes of each answer but that to `qmp_capabilities`; what it throws is an error of QEMU. */
  readonly lie: Lie;
  /** Answers to commands that QEMU is never told of; undefined: it is. */
  readonly instead?: ((command: string, args: Readonly<Record<string, unknown>>) => unknown) | undefined;
  /** Sent before each answer, as often as the other side takes it within one turn of the loop. */
  readonly before?: string | undefined;
}

/**
 * Puts a proxy in the place of a machine's own socket: QEMU does what it is told, and what it answers is changed on the way.
 * The machine must have no other monitor (`MONITOR=off`).
 */
export async function lyingQemu(t: Cleanup, root: Lab, name: string, way: LyingWay): Promise<void> {
  const path = root.file(name, 'qemu', 'qmp.sock');
  const real = root.file(name, 'qemu', 'real.sock');
  renameSync(path, real);
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const qemu = connect(real);
    for (const each of [client, qemu]) {
      sockets.add(each);
      each
        .on('error', () => {})
        .on('close', () => {
          sockets.delete(each);
          client.destroy();
          qemu.destroy();
        });
    }
    relay(client, qemu, way);
  });
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  server.listen(path);
  await once(server, 'listening');
}

interface Message {
  readonly id?: unknown;
  readonly execute?: unknown;
  readonly arguments?: Readonly<Record<string, unknown>>;
}

function relay(client: Socket, qemu: Socket, { lie, before, instead }: LyingWay): void {
  const commands = new Map<unknown, string>();
  eachLine(client, (line) => {
    try {
      const message: Message = JSON.parse(line);
      commands.set(message.id, String(message.execute));
      const invented = instead?.(String(message.execute), message.arguments ?? {});
      if (invented !== undefined) {
        client.write(`{"return":${text(invented)},"id":${JSON.stringify(message.id)}}\n`);
        return;
      }
    } catch {
      // QEMU says so.
    }
    qemu.write(`${line}\n`);
  });
  eachLine(qemu, (line) => {
    const message: Record<string, unknown> = JSON.parse(line);
    const command = commands.get(message['id']);
    if (!('return' in message) || command === undefined || command === 'qmp_capabilities') {
      client.write(`${line}\n`);
      return;
    }
    if (before !== undefined) for (let rest = 500; rest > 0 && client.write(before); rest -= 1);
    try {
      const value = lie(message['return'], command);
      if (value !== undefined) client.write(`{"return":${text(value)},"id":${JSON.stringify(message['id'])}}\n`);
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error);
      const refusal = { error: { class: said, desc: said }, id: message['id'] };
      client.write(`${JSON.stringify(refusal)}\n`);
    }
  });
}

/** A raw piece of JSON, which no value of JavaScript gives. */
export class Raw {
  readonly json: string;
  constructor(json: string) {
    this.json = json;
  }
}

function text(value: unknown): string {
  return value instanceof Raw ? value.json : JSON.stringify(value);
}

function eachLine(socket: Socket, take: (line: string) => void): void {
  let rest = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') take(line);
  });
}

/** Changes all that an answer holds, at every depth. */
export function mutate(value: unknown, leaf: (value: unknown, key: string) => unknown, key = ''): unknown {
  if (Array.isArray(value)) return value.map((each) => mutate(each, leaf, key));
  if (typeof value !== 'object' || value === null) return leaf(value, key);
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, mutate(each, leaf, name)]));
}
