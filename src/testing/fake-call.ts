import type { FakeConnection } from './fake-connection.ts';

/** A command that a client sent. */
export interface FakeCall {
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
  /** As sent; undefined when there is none. */
  readonly id: unknown;
  /** Whether it came as `exec-oob`. */
  readonly outOfBand: boolean;
  readonly connection: FakeConnection;
}

/**
 * Answers a command: what it returns (or its promise) becomes `return`, a thrown {@link FakeRefusal} becomes `error`, and
 * {@link NO_ANSWER} sends nothing. Commands are not queued: whichever promise is fulfilled first is answered first.
 */
export type FakeCommand = (call: FakeCall) => unknown;

/** Thrown by a {@link FakeCommand} to refuse. */
export class FakeRefusal extends Error {
  override readonly name = 'FakeRefusal';
  /** QMP error class, such as `GenericError`. */
  readonly errorClass: string;

  /** @param desc QEMU's sentence. */
  constructor(errorClass: string, desc: string) {
    super(desc);
    this.errorClass = errorClass;
  }
}

/** What a {@link FakeCommand} returns to send no answer. */
export const NO_ANSWER: unique symbol = Symbol('no answer');
