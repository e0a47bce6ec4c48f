import { QemuError } from '../base/errors.ts';
import type { PlanLine } from './taps/tap-plan.ts';

/**
 * PATH with the folders of `ip`, `bridge` and `nft`, which are missing from it for ordinary users and after `su`
 * without a dash.
 */
export function searchPath(env: NodeJS.ProcessEnv): string {
  return `${env['PATH'] || '/usr/bin:/bin'}:/usr/sbin:/sbin`;
}

/** The text that `ip -batch -` and `bridge -batch -` read. */
export function batchText(lines: readonly PlanLine[]): string {
  return lines.map(({ line }) => `${line}\n`).join('');
}

/** The error for a batch that failed at one of its lines, which `ip` reports as `Command failed -:3`. */
export function batchFailed(program: string, lines: readonly PlanLine[], stderr: string): QemuError {
  const failed = lines[Number(/^Command failed -:(\d+)/m.exec(stderr)?.[1] ?? 1) - 1];
  const text = stderr.replace(/^Command failed .*$/gm, '');
  return commandFailed(`Cannot set up tap "${failed?.tap ?? ''}" with "${program} ${failed?.line ?? ''}"`, text);
}

/** The error for a system command that printed `stderr`. */
export function commandFailed(message: string, stderr: string): QemuError {
  const cause = new Error(stderr.trim() || 'no output');
  if (!/Operation not permitted|Permission denied/i.test(stderr))
    return new QemuError('QEMU_COMMAND_FAILED', message, { cause });
  return new QemuError('QEMU_NOT_PERMITTED', message, { cause, hint: 'this needs root (CAP_NET_ADMIN)' });
}
