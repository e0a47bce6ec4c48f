import type { Argv } from 'yargs';
import { QemuError } from '../../base/errors.ts';
import { nearest } from '../../base/text.ts';
import { findKey } from '../../config/keys.ts';
import { otherKey } from '../../config/settings.ts';

/**
 * What is wrong with a command line that yargs does not take. An option that does not exist is named first, whatever
 * else is missing: it may have swallowed the word behind it.
 *
 * @param call the tool with its action, such as `qemu-init start`.
 * @param message what yargs says.
 * @param missing what the first word that is not there would have been, such as `machine`.
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
    return new QemuError('QEMU_USAGE', inOurWords(message), { hint: see });
  const hint = missing === 'machine' ? 'name one, see: qemu-init list' : see;
  return new QemuError('QEMU_USAGE', `No ${missing} was given`, { hint });
}

/** What yargs says of values, in the words of the other messages. */
function inOurWords(message: string): string {
  const option = /^Not enough arguments following: (\S+)$/.exec(message)?.[1];
  if (option !== undefined) return `${dashed(option)} needs a value`;
  const [, name, given, choices = ''] = /Argument: (\S+), Given: (".*"), Choices: (.*)/.exec(message) ?? [];
  return name === undefined ? message : `${name} must be one of ${choices.replaceAll('"', '')}, not ${given}`;
}

/**
 * A key that somebody gives `create` as an option, as other tools have it; of a size of a disk the option that there
 * is.
 */
function keyFor(option: string, parser: Argv<object>): string | undefined {
  const value: unknown = parser.parsed ? parser.parsed.argv[option] : undefined;
  const text = typeof value === 'string' ? value : '…';
  if (/^(?:disk-?)?size$/i.test(option)) return `--disk ${text}`;
  const key = findKey(option.toUpperCase())?.name ?? otherKey(option);
  return key === undefined ? undefined : `${key}=${text}`;
}

/** The options of the command line that nobody has defined, as they were written, and those that there are. */
function options(parser: Argv<object>): { readonly unknown: readonly string[]; readonly known: readonly string[] } {
  if (!parser.parsed) return { unknown: [], known: [] };
  const { argv, aliases, newAliases } = parser.parsed;
  // What yargs takes for a new spelling of itself alone, nobody has defined.
  const isDefined = (key: string): boolean =>
    [key, ...(aliases[key] ?? [])].some((each) => !Object.hasOwn(newAliases, each) || !newAliases[key]);
  const known = Object.keys(aliases).filter(isDefined);
  const given = Object.keys(argv).filter((key) => !SPECIAL.has(key) && !known.includes(key));
  // yargs adds dryRun to dry-run.
  const spellings = new Set(given.filter((key) => key.includes('-')).map(camelCase));
  const unknown = given.filter((key) => !spellings.has(key));
  return { unknown, known: known.filter((key) => !Object.hasOwn(newAliases, key)) };
}

/** Members that are no options. */
const SPECIAL = new Set(['_', '$0', '--']);

function camelCase(key: string): string {
  return key.replaceAll(/-+([^-])/g, (_, letter: string) => letter.toUpperCase());
}

function dashed(key: string): string {
  return key.length === 1 ? `-${key}` : `--${key}`;
}
