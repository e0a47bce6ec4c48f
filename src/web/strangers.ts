import type { Duplex } from 'node:stream';

/** A page has about six connections before it shows its token, and a browser opens them again. */
const MOST_STRANGERS = 100;

/**
 * Connections that have not shown a token or a ticket. Any user of this host can open those, keep them open and read
 * nothing: so when there are many the oldest one goes, and whoever has the token always gets in.
 */
export class Strangers {
  readonly #sockets = new Set<Duplex>();

  /** Takes in a new connection, for which the oldest one may have to go. */
  add(socket: Duplex): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    const [oldest] = this.#sockets;
    if (this.#sockets.size <= MOST_STRANGERS || oldest === undefined) return;
    this.#sockets.delete(oldest);
    oldest.destroy();
  }

  /** It has shown that it may be here. */
  known(socket: Duplex): void {
    this.#sockets.delete(socket);
  }
}
