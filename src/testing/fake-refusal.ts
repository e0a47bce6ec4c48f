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

/** Commands that may be executed out of band; the same in QEMU 7.2 and 9.2. */
export const OUT_OF_BAND_COMMANDS: readonly string[] = ['migrate-recover', 'migrate-pause', 'yank', 'query-yank'];

/** QEMU's error for unknown arguments of a command. Of several it names the one that comes first in its hash table. */
export function refuseArguments(args: Readonly<Record<string, unknown>>): void {
  const [name] = Object.keys(args);
  if (name !== undefined) throw new FakeRefusal('GenericError', `Parameter '${name}' is unexpected`);
}

/** What QEMU reports for an argument of another type. */
export function wrongType(name: string, expected: string): FakeRefusal {
  return new FakeRefusal('GenericError', `Invalid parameter type for '${name}', expected: ${expected}`);
}
