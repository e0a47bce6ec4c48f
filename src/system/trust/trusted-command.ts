import { existsSync, statSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { scriptInterpreter } from './script.ts';
import { trustPath } from './trusted-path.ts';

/** Linux follows this many interpreters that are scripts themselves (BINPRM recursion). */
const MOST_INTERPRETERS = 5;

/** Programs that run the file they are given. */
const RUNS_FILES =
  /^(ba|da|a|k|z|c|tc|fi)?sh$|^(busybox|env|python[\d.]*|perl[\d.]*|ruby[\d.]*|node(js)?|php[\d.]*|lua[\d.]*|awk|tclsh)$/;

/**
 * Checks a program that is about to be run, and the interpreters of scripts: a user who may write to one of them
 * decides what is run.
 *
 * @param path absolute.
 * @throws {QemuError} `QEMU_NOT_PERMITTED` as {@link trustPath}.
 */
export function trustProgram(path: string): void {
  let next: string | undefined = path;
  for (let depth = 0; next !== undefined && depth < MOST_INTERPRETERS; depth++) {
    trustPath(next);
    next = scriptInterpreter(next);
  }
}

/**
 * The same for a program with its arguments: files that an interpreter is given are programs, too.
 *
 * @param cwd folder that it runs in.
 * @throws {QemuError} `QEMU_NOT_PERMITTED` as {@link trustPath}.
 */
export function trustCommand(path: string, args: readonly string[], cwd: string): void {
  trustProgram(path);
  if (!RUNS_FILES.test(basename(path))) return;
  for (const arg of args) {
    const file = resolve(cwd, arg);
    if (existsSync(file) && statSync(file).isFile()) trustProgram(file);
  }
}
