import { addFdArguments, type PassedFd } from '../start/passed-fd.ts';

/** What a machine in code is made of. */
export interface CodeArguments {
  readonly machineType: string | undefined;
  readonly monitor: boolean;
  readonly console: { readonly device: string | undefined; readonly index: number } | undefined;
  /** Members of fd sets, and descriptors that QEMU gets as they are (numbers). */
  readonly passed: readonly (PassedFd | number)[];
  readonly args: readonly string[];
}

/** Descriptors of QEMU; 0, 1 and 2 are standard input, output and error. */
export const MONITOR_FD = 3;
export const CONSOLE_FD = 4;
export const FIRST_PASSED_FD = 5;

/** The arguments of QEMU for a machine in code. Pure. */
export function codeArguments({ machineType, monitor, console, passed, args }: CodeArguments): string[] {
  return [
    '-no-user-config',
    '-display',
    'none',
    ...(monitor
      ? ['-chardev', `socket,id=mon,fd=${MONITOR_FD}`, '-mon', 'chardev=mon,mode=control']
      : ['-monitor', 'none']),
    ...(machineType === undefined ? [] : ['-machine', machineType]),
    ...(console ? consoleArguments(console) : []),
    ...passed.flatMap((each, at) => (typeof each === 'number' ? [] : addFdArguments([each], FIRST_PASSED_FD + at))),
    ...args,
  ];
}

function consoleArguments({ device, index }: NonNullable<CodeArguments['console']>): string[] {
  return [
    ...Array.from({ length: index }, () => ['-serial', 'null']).flat(),
    '-chardev',
    `socket,id=console,fd=${CONSOLE_FD}`,
    ...(device === undefined ? ['-serial', 'chardev:console'] : ['-device', `${device},chardev=console`]),
  ];
}
