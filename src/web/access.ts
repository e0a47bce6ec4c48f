import { randomBytes, timingSafeEqual } from 'node:crypto';

/** Names that a browser on this host, or at the end of a tunnel, may have for the server. */
const LOOPBACK_NAMES: readonly string[] = ['127.0.0.1', 'localhost', '[::1]'];

/** The parts of a request that decide whether it is served. */
export interface RequestFacts {
  readonly host: string | undefined;
  readonly origin: string | undefined;
  /** Value of the header Authorization. */
  readonly authorization: string | undefined;
  /** Value of Sec-Fetch-Site: where a browser says the page is from that asks. */
  readonly site?: string | undefined;
}

/**
 * Whether the request names us. A page of another site whose name was made to lead here, by DNS rebinding, sends its
 * own name.
 *
 * @param names further names of the server, without a port.
 */
export function isOurHost({ host }: RequestFacts, names: readonly string[] = []): boolean {
  const name = host?.toLowerCase().replace(/:\d{1,5}$/, '');
  return name !== undefined && [...LOOPBACK_NAMES, ...names].includes(name);
}

/**
 * Whether the request is from a page of ours. Browsers do not hold WebSockets and simple forms of other sites back, but
 * they say where those are from (RFC 6454, 7.3); programs that say nothing are no browsers, and have no business with
 * what acts.
 */
export function isOurOrigin({ host, origin }: RequestFacts): boolean {
  return host !== undefined && (origin === `http://${host}` || origin === `https://${host}`);
}

/** Whether a browser says that another site asks: a proxy would let that in as its user. */
export function isOfOtherSite({ site }: RequestFacts): boolean {
  return site !== undefined && site !== 'same-origin' && site !== 'none';
}

/** The word that a browser has from its link. It is compared in the same time whatever it is. */
export function hasToken({ authorization }: RequestFacts, token: string): boolean {
  const given = Buffer.from(/^Bearer ([\w-]{1,128})$/.exec(authorization ?? '')?.[1] ?? '');
  const wanted = Buffer.from(token);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

/** Whom a page acts for. */
export interface Visitor {
  /** Undefined for one who has the link. */
  readonly user: string | undefined;
  /** Whether machines may be started, stopped and typed to. */
  readonly mayAct: boolean;
}

/** The users that a reverse proxy lets in and names. */
export interface ProxyUsers {
  /** Name of the header. */
  readonly header: string;
  /** Those who may act; undefined: as those who have the link. */
  readonly mayAct: readonly string[] | undefined;
}

/**
 * Who may act of the users that a proxy names: those of a list, or all where somebody has said so. That the host has a
 * helper that acts says it only of those who have the link.
 *
 * @param list with commas between them.
 */
export function proxyUsers(
  header: string | undefined,
  list: string | undefined,
  allowControl: boolean,
): ProxyUsers | undefined {
  if (header === undefined) return undefined;
  return { header, mayAct: list === undefined && allowControl ? undefined : (list?.split(',') ?? []) };
}

/**
 * The user that a header names. Where a proxy passes on what a browser has sent as well, both values come as one with a
 * comma, which is nobody's name.
 */
export function userOf(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' && /^[\w.@+-]{1,128}$/.test(value) ? value : undefined;
}

/** A token that cannot be guessed: 192 bits. */
export function newToken(): string {
  return randomBytes(24).toString('base64url');
}

/** How long a ticket waits for its WebSocket. */
const TICKET_MS = 30_000;
/** A page needs two at a time. */
const MOST_TICKETS = 100;

/**
 * Tickets for WebSockets, to which a browser cannot give a header: each is good for one connection to one thing, once and
 * for half a minute.
 */
export class Tickets {
  readonly #waiting = new Map<
    string,
    { readonly subject: string; readonly visitor: Visitor; readonly until: number }
  >();

  /** @param subject what the ticket is for: `vnc/web`. */
  issue(subject: string, visitor: Visitor): string {
    const now = performance.now();
    for (const [ticket, { until }] of this.#waiting) if (until < now) this.#waiting.delete(ticket);
    const [oldest] = this.#waiting.keys();
    if (this.#waiting.size >= MOST_TICKETS && oldest !== undefined) this.#waiting.delete(oldest);
    const ticket = newToken();
    this.#waiting.set(ticket, { subject, visitor, until: now + TICKET_MS });
    return ticket;
  }

  /** Takes a ticket: whom it was issued to; undefined when there is none for that subject. */
  take(ticket: string, subject: string): Visitor | undefined {
    const found = this.#waiting.get(ticket);
    this.#waiting.delete(ticket);
    return found !== undefined && found.subject === subject && found.until >= performance.now()
      ? found.visitor
      : undefined;
  }
}
