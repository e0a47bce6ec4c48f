import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { errorCode, LaunchError } from '../../base/errors.ts';
import { quoteComma } from '../../base/text.ts';
import { shellCommand } from '../../config/text/shell-words.ts';
import type { ProcessEnd } from '../../system/process/launch-process.ts';
import { giveFile } from './give-file.ts';

/** What is known of a launch that failed. */
export interface FailedLaunch {
  /** Program and arguments. */
  readonly argv: readonly string[];
  /** QEMU's name among them. */
  readonly binary: string;
  /** How long QEMU had. */
  readonly timeoutMs: number;
  /** Undefined when it did not end: its time was up, or it was not to be understood. */
  readonly end: ProcessEnd | undefined;
  /** What it printed. */
  readonly output: string;
  readonly cause: unknown;
  readonly hint?: string | undefined;
}

/** The error of a QEMU that did not come up, in its own words. */
export function launchError({ argv, binary, timeoutMs, end, output, cause, hint }: FailedLaunch): LaunchError {
  const program = basename(binary);
  const said = cleanOutput(output, program);
  const detail = { argv, exitCode: end?.exitCode, signal: end?.signal, output: said };
  return new LaunchError(`${program} ${whatHappened(end, timeoutMs, cause)}${said ? `: ${said}` : ''}`, detail, {
    cause: end === undefined ? cause : undefined,
    hint,
  });
}

function whatHappened(end: ProcessEnd | undefined, timeoutMs: number, cause: unknown): string {
  if (end?.signal !== undefined) return `was ended by ${end.signal}`;
  if (end !== undefined) return `ended with exit status ${end.exitCode}`;
  if (errorCode(cause) === 'QEMU_TIMEOUT') return `did not answer within ${Math.round(timeoutMs / 1000)} seconds`;
  return 'did not answer like QEMU, and was killed';
}

/**
 * QEMU's lines without the time stamps and the program's name, which the message already has, and without its traces.
 */
export function cleanOutput(output: string, program: string): string {
  return output
    .split('\n')
    .filter((line) => !/^\d+@\d+\.\d+:\w+/.test(line))
    .map((line) =>
      line.replace(/^\d{4}-\d\d-\d\dT[\d:.]+Z /, '').replace(new RegExp(`^(\\S*/)?${escapeRegExp(program)}: `), ''),
    )
    .join('\n')
    .trim();
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** What the one who starts a machine can do about what QEMU printed when it did not come up. */
export function launchHint(
  output: string,
  context: {
    readonly runAs: string | undefined;
    readonly logPath: string;
    readonly argv?: readonly string[] | undefined;
  },
): string {
  const { runAs, logPath, argv } = context;
  const file = /Could not open '([^']+)': Permission denied/.exec(output)?.[1];
  if (file !== undefined && runAs !== undefined) {
    const isRead = /Could not open backing file/.test(output);
    const give = giveFile(file, isRead ? 'group' : { user: runAs }, isNamed(file, argv));
    return `QEMU runs as "${runAs}" (RUNAS), who may not ${isRead ? 'read' : 'use'} it: ${give}; see: qemu-init doctor`;
  }
  if (/could not (?:configure|open) \/dev\/net\/tun.*(?:Operation not permitted|Permission denied)/.test(output)) {
    if (runAs !== undefined) {
      return `QEMU runs as "${runAs}" (RUNAS), who may not open it: chmod 0666 /dev/net/tun, as udev does; creating taps needs more privileges`;
    }
    return 'only root may create taps; net=user and net=passt in NICx need no privileges';
  }
  const closed = /'(\/[^']+)': (?:Read-only file system|No such file or directory)/.exec(output)?.[1];
  if (closed !== undefined && existsSync('/run/systemd/system')) {
    return `the unit hides what the machine's file does not name, perhaps "${closed}": see HARDENING in qemu-init(8)`;
  }
  const hook = /network script (\S+) failed with status/.exec(output)?.[1];
  if (hook !== undefined && !existsSync(hook)) {
    return `the hook does not exist: ln -s "$(command -v qemu-netif)" ${shellCommand(hook)}; or set NETIF=managed, or net=user for the NIC`;
  }
  if (/cannot bind memory to host NUMA nodes/.test(output)) {
    return 'hostnodes= of NUMAx takes nodes of the host that have memory: ls /sys/devices/system/node';
  }
  if (/unable to map backing store for guest RAM|Insufficient free host memory pages/.test(output)) {
    return 'the huge pages of HUGEPAGES are in use by others: see HugePages_Free in /proc/meminfo, and keep more';
  }
  return `the whole output is in "${logPath}"`;
}

/** Whether the command line names a file; else only the header of an image does. */
function isNamed(file: string, argv: readonly string[] | undefined): boolean {
  const name = `=${quoteComma(file)}`;
  return argv?.some((argument) => argument.endsWith(name) || argument.includes(`${name},`)) ?? true;
}
