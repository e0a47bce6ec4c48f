import type { QemuError } from '../base/errors.ts';
import type { QmpGreeting } from './message.ts';

/** The state of a client: IDLE → CONNECTING → RUNNING → DISCONNECTING → IDLE. A failed connect goes back to IDLE. */
export type QmpState =
  /** Never connected, or not any more; `end` has how the last connection ended. */
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
