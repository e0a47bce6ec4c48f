import type { IncomingMessage, ServerResponse } from 'node:http';
import { QemuError } from '../base/errors.ts';
import type { RequestFacts } from './access.ts';

const MOST_BODY_BYTES = 4096;

/** Headers of all answers: the page runs what is ours alone, and is in no frame and no cache. */
export const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cache-control': 'no-store',
};

/** The address of a request; undefined for one that is none. */
export function urlOf({ url }: IncomingMessage): URL | undefined {
  return URL.canParse(url ?? '/', 'http://localhost') ? new URL(url ?? '/', 'http://localhost') : undefined;
}

/** What decides about a request. */
export function factsOf({ headers }: IncomingMessage): RequestFacts {
  const site = headers['sec-fetch-site'];
  return {
    host: headers.host,
    origin: headers.origin,
    authorization: headers.authorization,
    site: typeof site === 'string' ? site : undefined,
  };
}

/** The body as JSON, `undefined` without one. @throws {QemuError} `QEMU_USAGE` when it is too long, or something else. */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of request) {
    const bytes = Buffer.from(piece);
    length += bytes.length;
    if (length > MOST_BODY_BYTES) throw new QemuError('QEMU_USAGE', 'The request is too long');
    pieces.push(bytes);
  }
  if (length === 0) return undefined;
  try {
    const value: unknown = JSON.parse(Buffer.concat(pieces).toString());
    return value;
  } catch (cause) {
    throw new QemuError('QEMU_USAGE', 'The request is not JSON', { cause });
  }
}

/** Answers with JSON. */
export function send(response: ServerResponse, status: number, value: object): void {
  sendText(response, status, JSON.stringify(value), 'application/json; charset=utf-8');
}

/** Answers with text. */
export function sendText(
  response: ServerResponse,
  status: number,
  text: string,
  type = 'text/plain; charset=utf-8',
): void {
  response.writeHead(status, { ...HEADERS, 'content-type': type });
  response.end(text);
}

/** The status that stands for an error. */
export function statusOf({ code }: QemuError): number {
  if (code === 'QEMU_MACHINE_UNKNOWN') return 404;
  if (code === 'QEMU_USAGE') return 400;
  if (code === 'QEMU_NOT_PERMITTED') return 403;
  return 409;
}
