import yargs, { type Argv } from 'yargs';
import { QemuError } from '../../base/errors.ts';
import { VERSION } from '../../base/version.ts';
import { addCommonOptions } from './options.ts';
import { usageError } from './usage-error.ts';

/**
 * Parses a command line with yargs. `define` adds the tool's own commands and options, whose handlers run the action.
 *
 * @param missing what to call a missing first word, such as `tap` (default: `machine`).
 * @param call the tool with its action, such as `qemu-init start`, for hints.
 * @throws {QemuError} `QEMU_USAGE`, and what a handler throws.
 */
export async function parseArguments(
  name: string,
  argv: readonly string[],
  define: (parser: Argv<object>) => Argv<object>,
  missing = 'machine',
  call = name,
): Promise<void> {
  const parser = addCommonOptions(yargs() as Argv<object>)
    .scriptName(name)
    .locale('en')
    .strict()
    .version(`${name} ${VERSION}`)
    // The tools print their own before they parse.
    .help(false)
    .parserConfiguration({
      // Names such as 007 are names.
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'camel-case-expansion': true,
      // A list takes one word at a time, so that a name may follow it.
      'greedy-arrays': false,
    })
    .check(refuseRepeated)
    .exitProcess(false)
    .fail((message, error) => {
      throw error instanceof QemuError ? error : usageError(call, parser, error?.message ?? message, missing);
    });
  await define(parser).parseAsync(withoutEndOfOptions(argv));
}

/**
 * Puts names before `--`: yargs takes none after it (XBD 12.2, Guideline 10), and names of machines do not look like
 * options.
 */
function withoutEndOfOptions(argv: readonly string[]): string[] {
  const end = argv.indexOf('--');
  const areNames = argv.slice(end + 1).every((word) => !word.startsWith('-'));
  return argv.filter((_, at) => at !== end || !areNames);
}

/** Arguments that may be given any number of times. */
const LISTS = new Set([
  '_',
  'ids',
  'words',
  'names',
  'node',
  'rest',
  'for',
  'disk',
  'files',
  'storage',
  'keys',
  'devices',
  'settings',
]);

/** yargs makes a list of an option that is given twice, regardless of its type. */
function refuseRepeated(args: Readonly<Record<string, unknown>>): true {
  const repeated = Object.keys(args).find((name) => Array.isArray(args[name]) && !LISTS.has(name));
  if (repeated === undefined) return true;
  throw new QemuError('QEMU_USAGE', `${repeated.length === 1 ? '-' : '--'}${repeated} was given more than once`);
}
