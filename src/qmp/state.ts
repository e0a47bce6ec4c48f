import type { Duplex } from 'node:stream';
import type { QemuError } from '../base/errors.ts';
import type { QmpListener } from './listener.ts';
import type { QmpGreeting } from './message.ts';

/** Where a client stands: IDLE → CONNECTING → RUNNING → DISCONNECTING → IDLE. A failed connect goes back to IDLE. */
export type QmpState =
  /** Never connected, or not any more; `end` says how the last connection ended. */
  | { readonly kind: 'idle'; readonly end: QmpEnd | undefined }
  /** From the first dial to the answer to `qmp_capabilities`. */
  | { readonly kind: 'connecting' }
  /** Commands may be sent. */
  | { readonly kind: 'running'; readonly greeting: QmpGreeting }
  /** What was written is being flushed. */
  | { readonly kind: 'disconnecting' };

/** How a connection ended. */
export interface QmpEnd {
  /**
   * `closed`: {@link QmpClient.close} was called. `quit`: the peer hung up after a `quit` of ours. `lost`: the peer hung
   * up by itself or broke the protocol.
   */
  readonly kind: 'closed' | 'quit' | 'lost';
  /** What was seen on the wire, for instance ECONNRESET as a cause; undefined for `closed` and a clean `quit`. */
  readonly error: QemuError | undefined;
}

/** Where a QMP monitor is to be found. */
export type QmpAddress =
  /** `-qmp unix:PATH,server=on,wait=off`; the path has at most 107 bytes. */
  | { readonly kind: 'unix'; readonly path: string }
  /** `-qmp tcp:…`; with `psk` the port speaks TLS with a pre-shared key (`tls-creds-psk`). */
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number; readonly psk?: PskKey | undefined }
  /** A connected socket that this process inherited or was given by `spawn` as a descriptor. */
  | { readonly kind: 'fd'; readonly fd: number }
  /** QEMU connects to us. */
  | { readonly kind: 'listener'; readonly listener: QmpListener }
  /** Anything else that carries bytes both ways; it is destroyed when the connection ends. */
  | { readonly kind: 'stream'; readonly stream: Duplex };

/** One line of QEMU's `keys.psk`. */
export interface PskKey {
  /** The part before the colon. */
  readonly identity: string;
  /** The part after it, decoded from hexadecimal. */
  readonly key: Uint8Array;
}
