import type { StdioOptions } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';

/** Descriptors as `spawn()` takes them, one an element. */
export type Stdio = Exclude<StdioOptions, string>;

/**
 * Whether descriptors that the caller left open may be closed here: only in our own process, not in a library's host
 * program.
 */
let isOurProcess = false;

/** To be called by tools at their start. In a library the process, and what it inherited, belong to another program. */
export function ownProcess(): void {
  isOurProcess = true;
}

/**
 * Calls `spawn` so that the program gets no other descriptors than those given. Otherwise everything this process
 * inherited without close-on-exec (`exec 200>lock` of a shell) would reach each of its programs. Descriptors that may
 * not be closed here become the null device there.
 *
 * @param stdio its descriptors 0, 1, 2, …
 */
export function withoutInherited<T>(stdio: Stdio, spawn: (stdio: Stdio) => T): T {
  const given = new Set(stdio.filter((each) => typeof each === 'number'));
  const left = inheritedDescriptors().filter((fd) => !mayClose(fd, given) || !close(fd));
  const covered = left.filter((fd) => fd >= stdio.length || stdio[fd] === 'ignore');
  if (covered.length === 0) return spawn(stdio);
  const nothing = openSync('/dev/null', 'r+');
  try {
    const all: Stdio = Array.from({ length: Math.max(stdio.length, ...covered.map((fd) => fd + 1)) }, () => 'ignore');
    for (const [fd, each] of stdio.entries()) all[fd] = each;
    for (const fd of covered) all[fd] = nothing;
    return spawn(all);
  } finally {
    closeSync(nothing);
  }
}

/** Descriptors past the standard ones that a program would get: see `flags` of proc_pid_fdinfo(5). */
export function inheritedDescriptors(): number[] {
  return readdirSync('/proc/self/fd')
    .map(Number)
    .filter((fd) => fd > 2 && isInheritable(fd));
}

/** open(2), as an octal number. */
const O_CLOEXEC = 0o2000000;

function isInheritable(fd: number): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1];
    return flags !== undefined && (Number.parseInt(flags, 8) & O_CLOEXEC) === 0;
  } catch {
    // That of the folder which has just been listed.
    return false;
  }
}

/** What the command line names (`<(command)` of a shell is `/dev/fd/63`) may still have to be read. */
function mayClose(fd: number, given: ReadonlySet<unknown>): boolean {
  return isOurProcess && !given.has(fd) && !process.argv.some((word) => word.endsWith(`/fd/${fd}`));
}

function close(fd: number): boolean {
  try {
    closeSync(fd);
    return true;
  } catch {
    return false;
  }
}
