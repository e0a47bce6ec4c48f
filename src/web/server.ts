import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { hostname } from 'node:os';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { QemuError } from '../base/errors.ts';
import { VERSION } from '../base/version.ts';
import { isValidName } from '../config/text/names.ts';
import type { FleetEvent } from '../fleet/events/fleet-event.ts';
import type { MachineManager } from '../fleet/machine-manager.ts';
import { familiesOf } from '../metrics/families.ts';
import { renderFamilies } from '../metrics/prometheus.ts';
import { sampleMachines } from '../metrics/sampler.ts';
import { readTail, sizeOf } from '../system/files/log/log-file.ts';
import {
  hasToken,
  isOfOtherSite,
  isOurHost,
  isOurOrigin,
  type ProxyUsers,
  type RequestFacts,
  Tickets,
  userOf,
  type Visitor,
} from './access.ts';
import { Feed, type FeedDocument } from './feed.ts';
import { actThrough } from './helper.ts';
import { factsOf, HEADERS, readJson, send, sendText, statusOf, urlOf } from './http.ts';
import { actionOf, actOn, type MachineAction } from './machine-actions.ts';
import { MachineEvents } from './machine-events.ts';
import type { StaticFile } from './static-files.ts';
import { Strangers } from './strangers.ts';
import { serveConsole, serveScreen } from './streams.ts';
import { type Task, Tasks } from './tasks.ts';

/** How to serve the page. */
export interface WebOptions {
  /** The fleet as its files are now. */
  readonly fleet: () => MachineManager;
  readonly files: ReadonlyMap<string, StaticFile>;
  /** What a browser must have: see {@link newToken}. */
  readonly token: string;
  /** Whether who has the link may start and stop machines, and use their keyboards. */
  readonly mayAct: boolean;
  /** Only on a socket that nobody but the proxy can reach. */
  readonly users?: ProxyUsers | undefined;
  /** Further names of this server, for a reverse proxy in front of it. */
  readonly names?: readonly string[] | undefined;
  /** Socket of a helper that acts in place of this process, which has no rights to: see {@link actThrough}. */
  readonly helper?: string | undefined;
  /** Told of what acts: who cares keeps it. */
  readonly onAction?: ((text: string) => void) | undefined;
}

/** Connections at a time, half of which can be {@link Strangers}; a page needs about six. */
const MOST_CONNECTIONS = 200;
const MOST_MESSAGE_BYTES = 1024 * 1024;
const LOG_BYTES = 128 * 1024;
const ALIVE_MS = 4000;

/** A server of the page, its interface and its streams, which does not listen yet. */
export class WebServer {
  readonly server: Server;
  readonly #options: WebOptions;
  readonly #tickets = new Tickets();
  readonly #strangers = new Strangers();
  readonly #feed: Feed;
  readonly #tasks: Tasks;
  readonly #events: MachineEvents;
  readonly #sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MOST_MESSAGE_BYTES,
    perMessageDeflate: false,
  });
  #streams = 0;
  #lastUse = performance.now();

  constructor(options: WebOptions) {
    this.#options = options;
    this.#events = new MachineEvents(options.fleet);
    this.#tasks = new Tasks(({ machine, action, state, text, user }) => {
      this.#feed.tellTasks(state === 'running' ? undefined : machine);
      if (state !== 'running') options.onAction?.(`${machine}: ${action}: ${text}${forWhom(user)}`);
    });
    this.#feed = new Feed(options.fleet, () => this.#tasks.list());
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
    return this.#streams > 0 || this.#tasks.running > 0 ? 0 : performance.now() - this.#lastUse;
  }

  /** Ends all connections, and what goes on: it is undone. */
  async close(): Promise<void> {
    this.server.close();
    await this.#tasks.close();
    for (const socket of this.#sockets.clients) socket.terminate();
    this.server.closeAllConnections();
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
    const { names, files } = this.#options;
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
    if (isOfOtherSite(facts)) return sendText(response, 403, 'wrong Sec-Fetch-Site\n');
    const visitor = this.#visitorOf(request, facts);
    if (!visitor) return sendText(response, 401, 'open the link that "qemu-init web" prints\n');
    this.#strangers.known(request.socket);
    if (isRead) await this.#read(url, response, visitor);
    else await this.#act(url, request, response, visitor);
  }

  #visitorOf(request: IncomingMessage, facts: RequestFacts): Visitor | undefined {
    const { users, token, mayAct } = this.#options;
    if (hasToken(facts, token)) return { user: undefined, mayAct };
    const user = users && userOf(request.headers[users.header.toLowerCase()]);
    return user === undefined ? undefined : { user, mayAct: users?.mayAct?.includes(user) ?? mayAct };
  }

  async #read(url: URL, response: ServerResponse, { user, mayAct }: Visitor): Promise<void> {
    const { fleet } = this.#options;
    if (url.pathname === '/api/info') return send(response, 200, { version: VERSION, host: hostname(), mayAct, user });
    if (url.pathname === '/api/feed') return this.#stream(response, url.searchParams.get('machine') ?? undefined);
    if (url.pathname === '/metrics') {
      const began = performance.now();
      const all = fleet();
      const samples = await sampleMachines(all, all.listWithRunning());
      const text = renderFamilies(familiesOf(samples, { seconds: (performance.now() - began) / 1000 }));
      return sendText(response, 200, text, 'text/plain; version=0.0.4; charset=utf-8');
    }
    const [, name = '', what = ''] = /^\/api\/machines\/([^/]+)\/(log|console|events)$/.exec(url.pathname) ?? [];
    if (!isValidName(name)) return sendText(response, 404, 'not found\n');
    if (what === 'events') return this.#streamEvents(response, fleet().get(name).longName);
    const { files } = fleet().get(name);
    const path = what === 'log' ? files.log : files.consoleLog;
    const from = Number(url.searchParams.get('from') ?? '0');
    send(response, 200, { size: sizeOf(path), text: readTail(path, Number.isSafeInteger(from) ? from : 0, LOG_BYTES) });
  }

  #stream(response: ServerResponse, machine: string | undefined): void {
    const name = machine !== undefined && isValidName(machine) ? machine : undefined;
    // A page that does not read gets the next sample instead of all that it missed.
    this.#send(response, (write) => this.#feed.subscribe(name, write));
  }

  #streamEvents(response: ServerResponse, name: string): void {
    this.#send(response, (write) => {
      // The page takes a server that is silent for one that is away.
      const timer = setInterval(() => !response.writableNeedDrain && response.write(':\n\n'), ALIVE_MS);
      response.write(':\n\n');
      const stop = this.#events.subscribe(name, write);
      return () => {
        clearInterval(timer);
        stop();
      };
    });
  }

  /** Server-sent events by hand, since a browser's EventSource cannot send the token. What is not read is left out. */
  #send(
    response: ServerResponse,
    subscribe: (write: (document: FeedDocument | FleetEvent) => void) => () => void,
  ): void {
    response.writeHead(200, { ...HEADERS, 'content-type': 'text/event-stream; charset=utf-8' });
    this.#streams += 1;
    const stop = subscribe((document) => {
      if (!response.writableNeedDrain) response.write(`data: ${JSON.stringify(document)}\n\n`);
    });
    response.once('close', () => {
      stop();
      this.#streams -= 1;
      this.#lastUse = performance.now();
    });
  }

  async #act(url: URL, request: IncomingMessage, response: ServerResponse, visitor: Visitor): Promise<void> {
    const { mayAct, user } = visitor;
    const wish = await readJson(request);
    const [, kind = '', subject = ''] = /^\/api\/ticket\/(vnc|console)\/([^/]+)$/.exec(url.pathname) ?? [];
    if (kind !== '' && isValidName(subject)) {
      if (kind === 'console' && !mayAct) return sendText(response, 403, 'read only\n');
      return send(response, 200, { ticket: this.#tickets.issue(`${kind}/${subject}`, visitor) });
    }
    const [, id = '', verb = ''] = /^\/api\/tasks\/([\w-]{1,64})\/(cancel|dismiss)$/.exec(url.pathname) ?? [];
    if (id !== '' && !mayAct) return sendText(response, 403, 'read only\n');
    if (verb === 'cancel') return send(response, 200, { cancelled: this.#tasks.cancel(id) });
    if (verb === 'dismiss') {
      this.#tasks.dismiss(id);
      return send(response, 200, {});
    }
    const [, name = '', word = ''] = /^\/api\/machines\/([^/]+)\/([a-z-]+)$/.exec(url.pathname) ?? [];
    if (!isValidName(name)) return sendText(response, 404, 'not found\n');
    if (!mayAct) return sendText(response, 403, 'read only\n');
    send(response, 202, this.#begin(name, actionOf(word), wish, user));
  }

  /** What was begun is finished, also when the page is closed. */
  #begin(id: string, action: MachineAction, wish: unknown, user: string | undefined): Task {
    const { fleet, helper, onAction } = this.#options;
    const all = fleet();
    const target = all.get(id);
    const machine = target.longName;
    const task = this.#tasks.begin({
      machine,
      action,
      user,
      work: (context) =>
        helper === undefined
          ? actOn(all, target, action, context, wish)
          : actThrough(helper, machine, action, context, wish),
    });
    onAction?.(`${machine}: ${action}${forWhom(user)}`);
    return task;
  }

  /** Whom a WebSocket is for, or why it is not opened: a status line. */
  #admit(facts: RequestFacts, url: URL | undefined, subject: string, name: string): Visitor | string {
    if (!isOurHost(facts, this.#options.names)) return '421 Misdirected Request';
    if (!isOurOrigin(facts)) return '403 Forbidden';
    if (!isValidName(name)) return '404 Not Found';
    return this.#tickets.take(url?.searchParams.get('ticket') ?? '', subject) ?? '401 Unauthorized';
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#lastUse = performance.now();
    socket.on('error', () => socket.destroy());
    const url = urlOf(request);
    const [, kind = '', name = ''] = /^\/ws\/(vnc|console)\/([^/]+)$/.exec(url?.pathname ?? '') ?? [];
    const visitor = this.#admit(factsOf(request), url, `${kind}/${name}`, name);
    if (typeof visitor === 'string') {
      // Nobody else ends a socket that was to be upgraded: its client could keep it for ever.
      socket.end(`HTTP/1.1 ${visitor}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy());
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
      const { fleet, helper, onAction } = this.#options;
      if (kind === 'vnc') void serveScreen(fleet, name, webSocket, visitor.mayAct);
      else {
        onAction?.(`console of ${name} opened${forWhom(visitor.user)}`);
        void serveConsole(fleet, name, webSocket, helper);
      }
    });
  }
}

function forWhom(user: string | undefined): string {
  return user === undefined ? '' : `, for ${user}`;
}
