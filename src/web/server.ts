import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { hostname } from 'node:os';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { QemuError } from '../base/errors.ts';
import { VERSION } from '../base/version.ts';
import { isValidName } from '../config/text/names.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { familiesOf } from '../metrics/families.ts';
import { renderFamilies } from '../metrics/prometheus.ts';
import { sampleMachines } from '../metrics/sampler.ts';
import { readTail, sizeOf } from '../system/files/log-file.ts';
import { hasToken, isOurHost, isOurOrigin, type RequestFacts, Tickets } from './access.ts';
import { Feed, type MachineView } from './feed.ts';
import { actionOf, actOn } from './machine-actions.ts';
import type { StaticFile } from './static-files.ts';
import { Strangers } from './strangers.ts';
import { serveConsole, serveScreen } from './streams.ts';

/** How to serve the page. */
export interface WebOptions {
  /** The fleet as its files are now. */
  readonly fleet: () => Fleet;
  readonly files: ReadonlyMap<string, StaticFile>;
  /** What a browser must have: see {@link newToken}. */
  readonly token: string;
  /** Whether the page may start and stop machines, and use their keyboards. */
  readonly mayAct: boolean;
  /** Further names of this server, for a reverse proxy in front of it. */
  readonly names?: readonly string[] | undefined;
  /** Told of what acts: who cares keeps it. */
  readonly onAction?: ((text: string) => void) | undefined;
}

/** Connections at a time, half of which can be {@link Strangers}; a page needs about six. */
const MOST_CONNECTIONS = 200;
const MOST_MESSAGE_BYTES = 1024 * 1024;
const MOST_BODY_BYTES = 4096;
const LOG_BYTES = 128 * 1024;

const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cache-control': 'no-store',
};

/** A server of the page, its interface and its streams, which does not listen yet. */
export class WebServer {
  readonly server: Server;
  readonly #options: WebOptions;
  readonly #tickets = new Tickets();
  readonly #strangers = new Strangers();
  readonly #feed: Feed;
  readonly #sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MOST_MESSAGE_BYTES,
    perMessageDeflate: false,
  });
  #streams = 0;
  #lastUse = performance.now();

  constructor(options: WebOptions) {
    this.#options = options;
    this.#feed = new Feed(options.fleet);
    this.server = createServer(
      { headersTimeout: 10_000, requestTimeout: 15_000, keepAliveTimeout: 5000, maxHeaderSize: 16_384 },
      (request, response) => void this.#serve(request, response),
    );
    this.server.maxConnections = MOST_CONNECTIONS;
    this.server.on('connection', (socket) => this.#strangers.add(socket));
    this.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      this.#upgrade(request, socket, head);
    });
    // A client that breaks the rules of HTTP is not worth more than this.
    this.server.on('clientError', (_, socket) => socket.destroy());
  }

  /** Milliseconds since it was used last; 0 while a page is open. */
  get idleMs(): number {
    return this.#streams > 0 ? 0 : performance.now() - this.#lastUse;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#lastUse = performance.now();
    try {
      await this.#answer(request, response);
    } catch (error) {
      if (response.headersSent) response.destroy();
      else if (error instanceof QemuError)
        send(response, statusOf(error), { error: { code: error.code, message: error.message } });
      else send(response, 500, { error: { code: 'INTERNAL', message: 'failed' } });
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const facts = factsOf(request);
    const { names, files, token } = this.#options;
    if (!isOurHost(facts, names)) return sendText(response, 421, 'wrong Host\n');
    const url = urlOf(request);
    if (!url) return sendText(response, 400, 'wrong address\n');
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    if (!isRead && request.method !== 'POST') return sendText(response, 405, 'GET or POST\n');
    const file = isRead ? files.get(url.pathname) : undefined;
    if (file) {
      response.writeHead(200, { ...HEADERS, 'content-type': file.type, 'content-length': file.body.length });
      response.end(request.method === 'HEAD' ? undefined : file.body);
      return;
    }
    if (!isRead && !isOurOrigin(facts)) return sendText(response, 403, 'wrong Origin\n');
    if (!hasToken(facts, token)) return sendText(response, 401, 'open the link that "qemu-init web" prints\n');
    this.#strangers.known(request.socket);
    if (isRead) await this.#read(url, response);
    else await this.#act(url, request, response);
  }

  async #read(url: URL, response: ServerResponse): Promise<void> {
    const { fleet, mayAct } = this.#options;
    if (url.pathname === '/api/info') return send(response, 200, { version: VERSION, host: hostname(), mayAct });
    if (url.pathname === '/api/feed') return this.#stream(response);
    if (url.pathname === '/metrics') {
      const began = performance.now();
      const all = fleet();
      const samples = await sampleMachines(all, all.listWithRunning());
      const text = renderFamilies(familiesOf(samples, { seconds: (performance.now() - began) / 1000 }));
      return sendText(response, 200, text, 'text/plain; version=0.0.4; charset=utf-8');
    }
    const [, name = '', what = ''] = /^\/api\/machines\/([^/]+)\/(log|console)$/.exec(url.pathname) ?? [];
    if (!isValidName(name)) return sendText(response, 404, 'not found\n');
    const { files } = fleet().get(name);
    const path = what === 'log' ? files.log : files.consoleLog;
    const from = Number(url.searchParams.get('from') ?? '0');
    send(response, 200, { size: sizeOf(path), text: readTail(path, Number.isSafeInteger(from) ? from : 0, LOG_BYTES) });
  }

  /** Server-sent events by hand, since a browser's EventSource cannot send the token. */
  #stream(response: ServerResponse): void {
    response.writeHead(200, { ...HEADERS, 'content-type': 'text/event-stream; charset=utf-8' });
    this.#streams += 1;
    const stop = this.#feed.subscribe((machines: readonly MachineView[] | undefined) => {
      // The page says that it has lost us, and tries again.
      if (!machines) response.destroy();
      // A page that does not read gets the next sample instead of all that it missed.
      else if (!response.writableNeedDrain) response.write(`data: ${JSON.stringify({ machines })}\n\n`);
    });
    response.once('close', () => {
      stop();
      this.#streams -= 1;
      this.#lastUse = performance.now();
    });
  }

  async #act(url: URL, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { fleet, mayAct, onAction } = this.#options;
    await drain(request);
    const [, kind = '', subject = ''] = /^\/api\/ticket\/(vnc|console)\/([^/]+)$/.exec(url.pathname) ?? [];
    if (kind !== '' && isValidName(subject)) {
      if (kind === 'console' && !mayAct) return sendText(response, 403, 'read only\n');
      return send(response, 200, { ticket: this.#tickets.issue(`${kind}/${subject}`) });
    }
    const [, name = '', word = ''] = /^\/api\/machines\/([^/]+)\/([a-z]+)$/.exec(url.pathname) ?? [];
    if (!isValidName(name)) return sendText(response, 404, 'not found\n');
    if (!mayAct) return sendText(response, 403, 'read only\n');
    const action = actionOf(word);
    onAction?.(`${action} ${name}`);
    // What was begun is finished, also when the page is closed.
    const text = await actOn(fleet(), name, action, new AbortController().signal);
    onAction?.(`${name}: ${text}`);
    send(response, 200, { name, action, text });
  }

  /** Why a WebSocket is not opened: a status line. */
  #refusalOf(facts: RequestFacts, url: URL, subject: string, name: string): string | undefined {
    if (!isOurHost(facts, this.#options.names)) return '421 Misdirected Request';
    if (!isOurOrigin(facts)) return '403 Forbidden';
    if (!isValidName(name)) return '404 Not Found';
    return this.#tickets.take(url.searchParams.get('ticket') ?? '', subject) ? undefined : '401 Unauthorized';
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#lastUse = performance.now();
    socket.on('error', () => socket.destroy());
    const url = urlOf(request) ?? new URL('http://localhost/');
    const [, kind = '', name = ''] = /^\/ws\/(vnc|console)\/([^/]+)$/.exec(url.pathname) ?? [];
    const refusal = this.#refusalOf(factsOf(request), url, `${kind}/${name}`, name);
    if (refusal !== undefined) {
      // Nobody else ends a socket that was to be upgraded: its client could keep it for ever.
      socket.end(`HTTP/1.1 ${refusal}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy());
      return;
    }
    this.#strangers.known(socket);
    this.#sockets.handleUpgrade(request, socket, head, (webSocket) => {
      this.#streams += 1;
      webSocket.on('error', () => webSocket.terminate());
      webSocket.once('close', () => {
        this.#streams -= 1;
        this.#lastUse = performance.now();
      });
      const { fleet, mayAct, onAction } = this.#options;
      if (kind === 'vnc') void serveScreen(fleet(), name, webSocket, mayAct);
      else {
        onAction?.(`console of ${name} opened`);
        void serveConsole(fleet(), name, webSocket);
      }
    });
  }
}

/** Undefined for what cannot be read as one, such as `//`. */
function urlOf({ url = '/' }: IncomingMessage): URL | undefined {
  return URL.canParse(url, 'http://localhost') ? new URL(url, 'http://localhost') : undefined;
}

function factsOf({ headers }: IncomingMessage): RequestFacts {
  return { host: headers.host, origin: headers.origin, authorization: headers.authorization };
}

/** Reads a body that nobody needs, to its end or to a limit. */
async function drain(request: IncomingMessage): Promise<void> {
  let length = 0;
  for await (const piece of request) {
    length += Buffer.from(piece).length;
    if (length > MOST_BODY_BYTES) throw new QemuError('QEMU_USAGE', 'The request is too long');
  }
}

function send(response: ServerResponse, status: number, value: object): void {
  sendText(response, status, JSON.stringify(value), 'application/json; charset=utf-8');
}

function sendText(response: ServerResponse, status: number, text: string, type = 'text/plain; charset=utf-8'): void {
  response.writeHead(status, { ...HEADERS, 'content-type': type });
  response.end(text);
}

function statusOf({ code }: QemuError): number {
  if (code === 'QEMU_MACHINE_UNKNOWN') return 404;
  if (code === 'QEMU_USAGE') return 400;
  if (code === 'QEMU_NOT_PERMITTED') return 403;
  return 409;
}
