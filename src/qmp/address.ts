import type { Duplex } from 'node:stream';

/** Where a QMP monitor is to be found. */
export type QmpAddress =
  /** `-qmp unix:PATH,server=on,wait=off`; the path has at most 107 bytes. */
  | { readonly kind: 'unix'; readonly path: string }
  /** `-qmp tcp:…`; with `psk` the port speaks TLS with a pre-shared key (`tls-creds-psk`). */
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number; readonly psk?: PskKey | undefined }
  /** A connected socket that this process inherited or was given by `spawn` as a descriptor. */
  | { readonly kind: 'fd'; readonly fd: number }
  /** QEMU connects to us. */
  | { readonly kind: 'listener'; readonly listener: Incoming }
  /** Anything else that carries bytes both ways; it is destroyed when the connection ends. */
  | { readonly kind: 'stream'; readonly stream: Duplex };

/** One line of QEMU's `keys.psk`. */
export interface PskKey {
  /** The part before the colon. */
  readonly identity: string;
  /** The part after it, decoded from hexadecimal. */
  readonly key: Uint8Array;
}

/** A connection that a QEMU is to make to us, such as a {@link QmpListener} waits for. */
export interface Incoming {
  /** The connection, once it comes. Rejects with the reason of the signal. */
  readonly accept: (signal: AbortSignal) => Promise<Duplex>;
}
