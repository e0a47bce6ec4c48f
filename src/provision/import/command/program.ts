import { basename } from 'node:path';

/** Words that may come before the program in a command: prompts, reserved words of a shell, and what runs programs. */
const BEFORE = new Set([
  ...['$', '!', '{', 'if', 'then', 'else', 'elif', 'do', 'while', 'until', 'exec', 'command', 'time', 'sudo', 'doas'],
  ...['env', 'nice', 'ionice', 'chrt', 'taskset', 'numactl', 'nohup', 'setsid', 'eval', 'systemd-run', 'strace', 'gdb'],
]);

/**
 * Where the program of a command is among its words, if that is QEMU: after assignments, wrappers and their options.
 * Pure.
 *
 * @returns -1: it is another program.
 */
export function qemuAt(words: readonly string[]): number {
  for (const [at, word] of words.entries()) {
    if (/^(?:qemu-system-\w+|qemu-kvm|kvm|qemu)$/.test(basename(word))) return at;
    const isPassed = BEFORE.has(basename(word)) || /^(?:-\S*|[\w.]+=.*|[\d,-]+|0x[\da-f]+)$/is.test(word);
    // The value of an option of a wrapper, such as a user of sudo.
    const isValue = at > 0 && /^--?\w[\w-]*$/.test(words[at - 1] ?? '');
    if (!isPassed && !isValue) return -1;
  }
  return -1;
}
