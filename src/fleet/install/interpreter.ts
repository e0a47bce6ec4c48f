import { existsSync, realpathSync } from 'node:fs';
import { QemuError } from '../../base/errors.ts';
import { whyNotForServices } from '../../system/trust/trusted-program.ts';

/** The program in the first line of the tools in a package for any host. */
export const COMMON_NODE = '/usr/bin/node';

/** Names that, unlike the path of the program itself, stay valid when Node.js is updated. */
const LASTING = [COMMON_NODE, '/usr/local/bin/node'];

/** Bytes of a first line, without `#!`, that the kernel reads: execve(2) before Linux 5.1. */
const LONGEST_FIRST_LINE = 125;

/**
 * The Node.js that must run the installed tools: the one that runs this. The PATH of services does not include the
 * folders of nvm or asdf, so its path is written into the first line of each tool.
 *
 * @param program absolute, as `process.execPath`.
 * @throws {QemuError} `QEMU_NOT_PERMITTED` when root must not run it, or services cannot.
 */
export function interpreterFor(program: string): string {
  const node = LASTING.find((path) => existsSync(path) && realpathSync(path) === realpathSync(program)) ?? program;
  const reason = whyNotForServices(node) ?? whyNoFirstLine(node);
  if (reason === undefined) return node;
  throw new QemuError('QEMU_NOT_PERMITTED', `This Node.js cannot be used for services: ${reason}`, {
    hint: `install Node.js for all users, and run this again with it: apt install nodejs; or: install -m 0755 ${program} /usr/local/bin/node`,
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
