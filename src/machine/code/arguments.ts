/** A descriptor that QEMU inherits. */
export interface PassedFd {
  readonly fd: number;
  readonly fdset: number;
  readonly opaque: string;
}

export interface CodeArguments {
  readonly machineType: string | undefined;
  readonly monitor: boolean;
  readonly console: { readonly device: string | undefined; readonly index: number } | undefined;
  readonly fds: readonly PassedFd[];
  readonly args: readonly string[];
}

/** Descriptors 0, 1 and 2 are standard input, output and error. */
const FIRST_FD = 3;

/** The arguments of a machine that is built in code. Pure. Sockets are inherited first, passed descriptors behind them. */
export function codeArguments(wish: CodeArguments): string[] {
  const monitorFd = FIRST_FD;
  const consoleFd = FIRST_FD + (wish.monitor ? 1 : 0);
  const firstPassed = consoleFd + (wish.console ? 1 : 0);
  return [
    '-no-user-config',
    '-display',
    'none',
    ...(wish.monitor
      ? ['-chardev', `socket,id=mon,fd=${monitorFd}`, '-mon', 'chardev=mon,mode=control']
      : ['-monitor', 'none']),
    ...(wish.machineType === undefined ? [] : ['-machine', wish.machineType]),
    ...(wish.console ? consoleArguments(wish.console, consoleFd) : []),
    ...wish.fds.flatMap(({ fdset, opaque }, at) => [
      '-add-fd',
      `fd=${firstPassed + at},set=${fdset},opaque=${opaque.replaceAll(',', ',,')}`,
    ]),
    ...wish.args,
  ];
}

function consoleArguments(console: NonNullable<CodeArguments['console']>, fd: number): string[] {
  return [
    ...Array.from({ length: console.index }, () => ['-serial', 'null']).flat(),
    '-chardev',
    `socket,id=console,fd=${fd}`,
    ...(console.device === undefined
      ? ['-serial', 'chardev:console']
      : ['-device', `${console.device},chardev=console`]),
  ];
}
