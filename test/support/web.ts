import { get as httpGet, request as httpRequest } from 'node:http';
import { join } from 'node:path';
import type { RunningCli } from './cli.ts';
import { freePort } from './free-port.ts';
import type { JsonObject, Lab } from './lab.ts';

/** Where a server of the page is, and what lets in there. */
export interface Place {
  readonly port: number;
  /** In place of the port. */
  readonly socketPath?: string;
  readonly token: string;
}

/** A server of the page in a process of its own. */
export interface Served extends Place {
  readonly link: string;
  readonly running: RunningCli;
}

/** It is there for the whole of a test, which waits for guests and browsers. */
const LIVES = { timeoutMs: 400_000 };
const BEGINS_MS = 30_000;

/** Serves it on a port. */
export async function serve(root: Lab, ...options: readonly string[]): Promise<Served> {
  const port = await freePort();
  const running = root.spawn('qemu-init', ['web', '--listen', `127.0.0.1:${port}`, ...options], LIVES);
  await running.waitForOutput(/#token=[\w-]+\n/, BEGINS_MS);
  const link = running.stdout().trim();
  return { link, port, token: link.split('token=')[1] ?? '', running };
}

/** The same on a socket of the file system, as behind ssh or a reverse proxy. */
export async function serveSocket(
  root: Lab,
  ...options: readonly string[]
): Promise<Served & { readonly socketPath: string }> {
  const socketPath = join(root.runDir, 'web.sock');
  const running = root.spawn('qemu-init', ['web', '--listen', `unix:${socketPath}`, ...options], LIVES);
  await running.waitForOutput(/#token=[\w-]+\n/, BEGINS_MS);
  const link = running.stdout().trim();
  return { link, port: 8780, token: link.split('token=')[1] ?? '', running, socketPath };
}

/** An answer of it. */
export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** What it is asked. */
export interface Question {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Asks it something. */
export function ask(served: Place, options: Question): Promise<Answer> {
  const { port, socketPath } = served;
  const { body, ...rest } = options;
  const where = socketPath === undefined ? { host: '127.0.0.1', port } : { socketPath };
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { ...where, agent: false, ...rest, headers: { host: hostOf(served), ...rest.headers } },
      (response) => {
        const pieces: Buffer[] = [];
        response.on('data', (piece: Buffer) => pieces.push(piece));
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            text: Buffer.concat(pieces).toString(),
            headers: response.headers,
          }),
        );
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}

/** What a page sends to read. */
export const bearer = ({ token }: Place): Record<string, string> => ({ authorization: `Bearer ${token}` });
/** What a page sends to act. */
export const ours = (served: Place): Record<string, string> => ({
  ...bearer(served),
  origin: `http://${hostOf(served)}`,
});

function hostOf({ port, socketPath }: Place): string {
  return socketPath === undefined ? `127.0.0.1:${port}` : 'localhost:8780';
}

/** The documents of the feed as they come, until it is left. */
export async function* feedOf(served: Served, machine?: string): AsyncGenerator<JsonObject> {
  const path = machine === undefined ? '/api/feed' : `/api/feed?machine=${machine}`;
  const request = httpGet({ host: '127.0.0.1', port: served.port, path, headers: bearer(served), agent: false });
  try {
    const response = await new Promise<AsyncIterable<Buffer>>((resolve, reject) => {
      request.on('response', resolve).on('error', reject);
    });
    let rest = '';
    for await (const piece of response) {
      rest += piece.toString();
      const parts = rest.split('\n\n');
      rest = parts.pop() ?? '';
      for (const part of parts) yield JSON.parse(part.slice('data: '.length)) as JsonObject;
    }
  } finally {
    request.destroy();
  }
}
