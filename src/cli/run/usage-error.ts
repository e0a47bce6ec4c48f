import type { Argv } from 'yargs';
import { QemuError } from '../../base/errors.ts';
import { nearest } from '../../base/text.ts';
import { findKey } from '../../config/keys.ts';
import { otherKey } from '../../config/settings.ts';

/** What is said without an action, at the first call that many make. */
export const NO_ACTION = 'No action was given';

/**
 * The error of a command line that yargs refuses. An unknown option is reported first, even if something is missing: it
 * may have swallowed the next word.
 *
 * @param call the tool with its action, such as `qemu-init start`.
 * @param message the message of yargs.
 * @param missing what to call a missing first word, such as `machine`.
 */
export function usageError(call: string, parser: Argv<object>, message: string, missing: string): QemuError {
  const see = `see: ${call} --help`;
  const { unknown, known } = options(parser);
  const [first] = unknown;
  if (first !== undefined) {
    const long = known.filter((each) => each.length > 1);
    const near = long.find((each) => first.length > 2 && each.startsWith(first)) ?? nearest(first, long);
    const key = call === 'qemu-init create' ? keyFor(first, parser) : undefined;
    if (key !== undefined) {
      return new QemuError('QEMU_USAGE', `Unknown option "${dashed(first)}"`, { hint: `write ${key}; ${see}` });
    }
    const hint = near === undefined ? see : `did you mean "${dashed(near)}"? ${see}`;
    const names = unknown.map((each) => `"${dashed(each)}"`).join(', ');
    return new QemuError('QEMU_USAGE', `Unknown option ${names}`, { hint });
  }
  if (!message.startsWith('Not enough non-option arguments'))
    return new QemuError('QEMU_USAGE', inOurWords(message), {
      hint: message === NO_ACTION ? `such as create, start, stop, status or console; ${see}` : see,
    });
  const hint = missing === 'machine' ? 'name one, see: qemu-init list' : see;
  return new QemuError('QEMU_USAGE', `No ${missing} was given`, { hint });
}

/** Messages of yargs about values, in the style of our messages. */
function inOurWords(message: string): string {
  const option = /^Not enough arguments following: (\S+)$/.exec(message)?.[1];
  if (option !== undefined) return `${dashed(option)} needs a value`;
  const [, name, given, choices = ''] = /Argument: (\S+), Given: (".*"), Choices: (.*)/.exec(message) ?? [];
  return name === undefined ? message : `${name} must be one of ${choices.replaceAll('"', '')}, not ${given}`;
}

/**
 * For an option of `create` that other tools have, the key to use instead; for the size of a disk our option.
 */
function keyFor(option: string, parser: Argv<object>): string | undefined {
  const value: unknown = parser.parsed ? parser.parsed.argv[option] : undefined;
  const text = typeof value === 'string' ? value : '…';
  if (/^(?:disk-?)?size$/i.test(option)) return `--disk ${text}`;
  const key = findKey(option.toUpperCase())?.name ?? otherKey(option);
  return key === undefined ? undefined : `${key}=${text}`;
}

/** The undefined options of the command line, as written, and the defined ones. */
function options(parser: Argv<object>): { readonly unknown: readonly string[]; readonly known: readonly string[] } {
  if (!parser.parsed) return { unknown: [], known: [] };
  const { argv, aliases, newAliases } = parser.parsed;
  // An option that only yargs itself added, as a spelling, is not defined.
  const isDefined = (key: string): boolean =>
    [key, ...(aliases[key] ?? [])].some((each) => !Object.hasOwn(newAliases, each) || !newAliases[key]);
  const known = Object.keys(aliases).filter(isDefined);
  const given = Object.keys(argv).filter((key) => !SPECIAL.has(key) && !known.includes(key));
  // yargs adds dryRun to dry-run.
  const spellings = new Set(given.filter((key) => key.includes('-')).map(camelCase));
  const unknown = given.filter((key) => !spellings.has(key));
  return { unknown, known: known.filter((key) => !Object.hasOwn(newAliases, key)) };
}

/** Members that are not options. */
const SPECIAL = new Set(['_', '$0', '--']);

function camelCase(key: string): string {
  return key.replaceAll(/-+([^-])/g, (_, letter: string) => letter.toUpperCase());
}

function dashed(key: string): string {
  return key.length === 1 ? `-${key}` : `--${key}`;
}
