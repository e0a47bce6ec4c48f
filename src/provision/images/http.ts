import { abortError } from '../../base/abort.ts';
import { QemuError } from '../../base/errors.ts';

/** What a server answers. */
export interface Response {
  /** Where in the file the body begins. */
  readonly start: number;
  /** Bytes of the body; undefined: the server does not say. */
  readonly length: number | undefined;
  /** A strong one: RFC 9110, 8.8.1. */
  readonly etag: string | undefined;
  /** `not-modified`: nothing has changed since the ETag that was sent. */
  readonly kind: 'body' | 'not-modified';
  /** The body as it comes. @throws {QemuError} `QEMU_IO` when the connection breaks, `QEMU_TIMEOUT`, `QEMU_ABORTED`. */
  chunks(): AsyncGenerator<Uint8Array, void, undefined>;
  close(): void;
}

/** How to ask for a file. */
export interface RequestOptions {
  /** Only the rest, if the server still has the file with that ETag. */
  readonly range?: { readonly start: number; readonly etag: string } | undefined;
  /** Only if it is another one than that with this ETag. */
  readonly unless?: string | undefined;
  /** HTTP without TLS is fine: the hash is known. */
  readonly allowPlain: boolean;
  /** How long the server may say nothing (default: 30 s). */
  readonly silenceMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const MOST_REDIRECTS = 5;
/** For the head of an answer, and between two parts of a body. */
const SILENCE_MS = 30_000;
/** What no second try helps against. */
const blocked = new WeakSet<object>();

/** Whether an error comes from what was asked for, and not from the connection. */
export function isBlocked(error: unknown): boolean {
  return typeof error === 'object' && error !== null && blocked.has(error);
}

/** Marks it as {@link isBlocked}. */
export function block(error: QemuError): QemuError {
  blocked.add(error);
  return error;
}

/**
 * Asks for a file and follows redirections, never to where the content is less protected.
 *
 * @throws {QemuError} `QEMU_USAGE` for an address that is not fetched, `QEMU_IO` with what the server or the network
 * says, `QEMU_TIMEOUT`, `QEMU_ABORTED`.
 */
export async function openResponse(address: string, options: RequestOptions): Promise<Response> {
  let url = checkedUrl(address, options.allowPlain);
  for (let hops = 0; ; hops++) {
    const { response, over } = await request(url, options);
    const location = response.headers.get('location');
    if (![301, 302, 303, 307, 308].includes(response.status) || location === null) {
      return responseOf(url, response, over, options);
    }
    over.abort();
    if (hops === MOST_REDIRECTS) {
      throw block(new QemuError('QEMU_IO', `"${address}" leads to more than ${MOST_REDIRECTS} other addresses`));
    }
    const next = parseUrl(location, url);
    if (next === undefined)
      throw block(new QemuError('QEMU_IO', `"${address}" leads to "${location}", which is not an address`));
    if (url.protocol === 'https:' && next.protocol !== 'https:') {
      throw block(new QemuError('QEMU_IO', `"${address}" leads from https to "${next.href}"`));
    }
    url = checkedUrl(next.href, options.allowPlain);
  }
}

function parseUrl(text: string, base?: URL): URL | undefined {
  try {
    return new URL(text, base);
  } catch {
    return undefined;
  }
}

/**
 * The address of a file that is fetched.
 *
 * @throws {QemuError} `QEMU_USAGE` for http without a hash, another protocol, or a user name in it.
 */
export function checkedUrl(address: string, allowPlain: boolean): URL {
  const url = parseUrl(address);
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw block(new QemuError('QEMU_USAGE', `Cannot fetch "${address}": it is not an https address`));
  }
  if (url.username !== '' || url.password !== '') {
    throw block(
      new QemuError('QEMU_USAGE', `Cannot fetch "${url.host}": an address with a password would be recorded`),
    );
  }
  if (url.protocol === 'https:' || allowPlain) return url;
  throw block(
    new QemuError('QEMU_USAGE', `Cannot fetch "${address}" by http: others could change it on the way`, {
      hint: 'use https, or add the hash that it must have: #sha256=…',
    }),
  );
}

async function request(
  url: URL,
  options: RequestOptions,
): Promise<{ response: globalThis.Response; over: AbortController }> {
  const { range, unless, silenceMs = SILENCE_MS, signal } = options;
  const over = new AbortController();
  if (signal?.aborted) throw abortError(signal);
  signal?.addEventListener('abort', () => over.abort(abortError(signal)), { once: true, signal: over.signal });
  const timer = setTimeout(() => over.abort(silent(url, silenceMs)), silenceMs);
  try {
    const response = await fetch(url, {
      redirect: 'manual',
      signal: over.signal,
      headers: {
        // What is stored, hashed and resumed are the bytes of the file.
        'accept-encoding': 'identity',
        'user-agent': 'qemu-init',
        ...(range ? { range: `bytes=${range.start}-`, 'if-range': range.etag } : {}),
        ...(unless === undefined ? {} : { 'if-none-match': unless }),
      },
    });
    return { response, over };
  } catch (error) {
    throw networkError(url, error, over.signal);
  } finally {
    clearTimeout(timer);
  }
}

function responseOf(
  url: URL,
  response: globalThis.Response,
  over: AbortController,
  { range, unless, silenceMs = SILENCE_MS }: RequestOptions,
): Response {
  const { status, statusText, headers } = response;
  const close = (): void => over.abort();
  const etag = strongEtag(headers.get('etag'));
  const common = { etag, close, chunks: () => chunksOf(url, response, over, silenceMs) };
  if (status === 304 && unless !== undefined) return { ...common, kind: 'not-modified', start: 0, length: 0 };
  const start = status === 206 && range ? startOfRange(headers.get('content-range')) : 0;
  if (status === 200 || (status === 206 && range !== undefined && start === range.start)) {
    const length = headers.get('content-length');
    const isIdentity = ['', 'identity'].includes(headers.get('content-encoding') ?? '');
    if (!isIdentity) {
      close();
      throw block(new QemuError('QEMU_IO', `"${url.href}" is sent packed, though it was asked for as it is`));
    }
    return {
      ...common,
      kind: 'body',
      start,
      length: length !== null && /^\d+$/.test(length) ? Number(length) : undefined,
    };
  }
  close();
  const error = new QemuError(
    'QEMU_IO',
    `Cannot fetch "${url.href}": the server says ${status} ${statusText}`.trimEnd(),
  );
  throw status >= 500 ? error : block(error);
}

function strongEtag(etag: string | null): string | undefined {
  return etag !== null && /^"[^"]*"$/.test(etag) ? etag : undefined;
}

function startOfRange(range: string | null): number {
  const [, start] = /^bytes (\d+)-\d+\/(?:\d+|\*)$/.exec(range ?? '') ?? [];
  return start === undefined ? -1 : Number(start);
}

async function* chunksOf(
  url: URL,
  { body }: globalThis.Response,
  over: AbortController,
  silenceMs: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (body === null) return;
  const reader = body.getReader();
  for (;;) {
    const timer = setTimeout(() => over.abort(silent(url, silenceMs)), silenceMs);
    let next: Awaited<ReturnType<typeof reader.read>>;
    try {
      next = await reader.read();
    } catch (error) {
      throw networkError(url, error, over.signal);
    } finally {
      clearTimeout(timer);
    }
    if (next.done) return;
    if (next.value instanceof Uint8Array) yield next.value;
  }
}

function silent(url: URL, silenceMs: number): QemuError {
  return new QemuError('QEMU_TIMEOUT', `"${url.host}" has sent nothing for ${silenceMs / 1000} s`);
}

/** Node hides the reason in the cause of the cause. */
function networkError(url: URL, error: unknown, signal: AbortSignal): QemuError {
  if (signal.reason instanceof QemuError) return signal.reason;
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return new QemuError('QEMU_IO', `Cannot fetch "${url.href}"`, { cause });
}
