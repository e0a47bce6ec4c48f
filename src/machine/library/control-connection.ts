import type { QmpClient } from '../../qmp/client.ts';
import type { MachineRef } from '../context.ts';
import { openControl, portsOf } from '../control/control-port.ts';

const CONNECT_MS = 10_000;

/** Told when the connection of a program comes and goes. */
export interface ConnectionUser {
  readonly opened: (client: QmpClient) => void;
  readonly closed: () => void;
}

/** The one connection that a program holds to the control port of a machine. */
export class ControlConnection {
  readonly #target: MachineRef;
  readonly #user: ConnectionUser;
  #client: QmpClient | undefined;

  constructor(target: MachineRef, user: ConnectionUser) {
    this.#target = target;
    this.#user = user;
  }

  get isOpen(): boolean {
    return this.#client !== undefined;
  }

  /** Connects; does nothing when the machine has no control port. @throws as `openControl` */
  async open(signal: AbortSignal | undefined): Promise<void> {
    // The machine's own socket is for qemu-init: a program that held it would be in the way of a stop.
    if (portsOf(this.#target).controlPort === undefined) return;
    const client = await openControl(this.#target, { timeoutMs: CONNECT_MS, signal });
    this.#user.opened(client);
    this.#client = client;
    void client.closed.then(() => {
      if (this.#client !== client) return;
      this.#client = undefined;
      this.#user.closed();
    });
  }

  async close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    this.#user.closed();
    await client?.close();
  }
}
