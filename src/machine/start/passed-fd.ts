import { quoteComma } from '../../base/text.ts';
/** An open descriptor that QEMU inherits as a member of an fd set, which it reaches as `/dev/fdset/N`. */
export interface PassedFd {
  /** Descriptor of this process. It may be closed here after the last launch. */
  readonly fd: number;
  /** Number of the set. */
  readonly fdset: number;
  /** Text for `query-fdsets`. */
  readonly opaque: string;
}

/** The `-add-fd` options for descriptors that QEMU has from number `first` on. */
export function addFdArguments(fds: readonly PassedFd[], first: number): string[] {
  return fds.flatMap(({ fdset, opaque }, at) => [
    '-add-fd',
    `fd=${first + at},set=${fdset},opaque=${quoteComma(opaque)}`,
  ]);
}
