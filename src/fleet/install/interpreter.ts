import { existsSync, realpathSync } from 'node:fs';
import { QemuError } from '../../base/errors.ts';
import { whyNotForServices } from '../../system/trust/trusted-program.ts';

/** The program in the first line of the tools in a package for any host. */
export const COMMON_NODE = '/usr/bin/node';

/** Names that stay when Node.js is updated, other than the path of the program itself. */
const LASTING = [COMMON_NODE, '/usr/local/bin/node'];

/** What the kernel reads of a first line, without `#!`: execve(2) before Linux 5.1. */
const LONGEST_FIRST_LINE = 125;

/**
 * The Node.js that the installed tools are to be run by: the one that runs this. A service has no PATH in which nvm, asdf
 * and the like would put it, so it is written into the first line of each tool.
 *
 * @param program absolute, as `process.execPath`.
 * @throws {QemuError} `QEMU_NOT_PERMITTED` when root must not run it, or services cannot.
 */
export function interpreterFor(program: string): string {
  const node = LASTING.find((path) => existsSync(path) && realpathSync(path) === realpathSync(program)) ?? program;
  const reason = whyNotForServices(node) ?? whyNoFirstLine(node);
  if (reason === undefined) return node;
  throw new QemuError('QEMU_NOT_PERMITTED', `Machines cannot be run with this Node.js: ${reason}`, {
    hint: `install one for all users, and run this again with it: apt install nodejs; or: install -m 0755 ${program} /usr/local/bin/node`,
  });
}

function whyNoFirstLine(node: string): string | undefined {
  if (/\s/.test(node)) return `"${node}" has blanks in its path`;
  return Buffer.byteLength(node) > LONGEST_FIRST_LINE
    ? `"${node}" is too long for the first line of a script`
    : undefined;
}

/** The text of a tool, with another program in its first line. */
export function withInterpreter(text: string, node: string): string {
  return text.replace(/^#!.*\bnode$/m, () => `#!${node}`);
}

/** The program that a script names in its first line, with its argument. */
export function interpreterOf(text: string): { readonly program: string; readonly argument: string } | undefined {
  const [, program, argument = ''] = /^#! *(\S+) *(\S*)/.exec(text) ?? [];
  return program === undefined ? undefined : { program, argument };
}
