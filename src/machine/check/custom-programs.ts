import { join } from 'node:path';
import { quoteComma } from '../../base/text.ts';
import type { CustomLine } from '../../config/types.ts';
import { readValues, type SplitOption, splitOptions } from './option-values.ts';

/** What an option of `[custom]` has QEMU run, load, or read further options from. */
export interface CustomProgram {
  /** As written: `-netdev`. */
  readonly option: string;
  /** A path, or a name that is looked for in `PATH`. */
  readonly program: string;
  readonly args: readonly string[];
  /** QEMU runs it as a program of its own, without a shell. */
  readonly isRun: boolean;
  readonly origin: CustomLine['origin'];
}

/** All of these lines; paths that are relative are so to `dir`, where QEMU runs. Pure. */
export function customPrograms(lines: readonly CustomLine[], dir: string): CustomProgram[] {
  return lines.flatMap(({ args, origin }) =>
    splitOptions(args).flatMap((part) =>
      commandsOf(part).flatMap(([program = '', ...rest]): CustomProgram[] => {
        if (program === '') return [];
        const path = program.includes('/') && !program.startsWith('/') ? join(dir, program) : program;
        return [{ option: part.option, program: path, args: rest, isRun: NETWORK.test(part.name), origin }];
      }),
    ),
  );
}

const NETWORK = /^(?:netdev|net|nic)$/;

function commandsOf({ name, values: [value = ''] }: SplitOption): string[][] {
  if (NETWORK.test(name)) return eachValue(value).flatMap(([key, text]) => networkCommand(key, text));
  switch (name) {
    case 'incoming':
      return value.startsWith('exec:') ? [words(value.slice('exec:'.length))] : [];
    case 'plugin':
      return [[readValues(value).get('file') ?? readValues(value).get('') ?? '']];
    case 'readconfig':
      // It has to be a path, which a name without a slash is, too.
      return [[value.includes('/') ? value : `./${value}`]];
    default:
      return [];
  }
}

/** A name can come several times, and each counts: `guestfwd=…,guestfwd=…`. */
function eachValue(text: string): (readonly [string, string])[] {
  if (text.startsWith('{')) return [...readValues(text)];
  const parts = text.replaceAll(',,', '\0').split(',');
  return parts.flatMap((part) => [...readValues(quoteComma(part.replaceAll('\0', ',')))]);
}

function networkCommand(key: string, text: string): string[][] {
  if (/^(?:script|downscript)$/.test(key)) return text === 'no' ? [] : [[text]];
  // It can be a command line: qemu-bridge-helper(8).
  if (key === 'helper') return [words(text)];
  // `tcp:10.0.2.1:80-cmd:PROGRAM ARGUMENT`; in JSON the texts are below it: `guestfwd.0.str`.
  const command = /^guestfwd(?:\.|$)/.test(key) ? /-cmd:(.*)$/s.exec(text)?.[1] : undefined;
  return command === undefined ? [] : [words(command)];
}

/** Without what quotes and the like mean to a shell. */
function words(command: string): string[] {
  return command.split(/[\s;|&()'"]+/).filter((word) => word !== '');
}
