import { QemuError } from '../../base/errors.ts';
import { nearest } from '../../base/text.ts';
import { wordsOf } from '../run/words.ts';
import { type Command, nameOf } from './command.ts';

/** Names of verbs in other tools, with ours, of which each noun has at most one. */
const ELSEWHERE: Readonly<Record<string, readonly string[]>> = {
  add: ['create'],
  apply: ['revert'],
  del: ['delete', 'remove'],
  delete: ['del', 'remove'],
  destroy: ['delete', 'del', 'remove'],
  download: ['pull'],
  fetch: ['pull'],
  get: ['pull'],
  grow: ['resize'],
  info: ['list', 'show'],
  list: ['show'],
  ls: ['list', 'show'],
  make: ['create', 'add'],
  new: ['create', 'add'],
  remove: ['delete', 'del'],
  restore: ['revert'],
  rm: ['delete', 'del', 'remove'],
  rollback: ['revert'],
  show: ['list'],
  take: ['create'],
};

/**
 * The error of a command line with a verb that its noun does not have. Where a machine may take the verb's place,
 * only for words that resemble a verb and are followed by the words that it takes; undefined otherwise.
 */
export function unknownVerb(
  tool: string,
  argv: readonly string[],
  { command, verbs = [], load }: Command,
): QemuError | undefined {
  const words = wordsOf(argv);
  const noun = nameOf({ command });
  const [, word, ...rest] = words;
  const names = verbs.map(nameOf);
  if (words[0] !== noun || names.length === 0 || names.includes(word ?? '')) return undefined;
  if (word === undefined) return load ? undefined : needsVerb(tool, noun, names);
  const near = elsewhere(word, names) ?? nearest(word, names);
  const meant = verbs.find((verb) => nameOf(verb) === near);
  const isLike = meant?.command.split(' ').length === rest.length + 1;
  if (load !== undefined && !isLike) return undefined;
  const hint =
    near === undefined ? `see: ${tool} ${noun} --help` : `did you mean "${noun} ${near}"? see: ${tool} ${noun} --help`;
  return new QemuError('QEMU_USAGE', `There is no ${tool === 'qemu-init' ? 'action' : 'command'} "${noun} ${word}"`, {
    hint,
  });
}

function elsewhere(word: string, names: readonly string[]): string | undefined {
  const ours = Object.hasOwn(ELSEWHERE, word) ? (ELSEWHERE[word] ?? []) : [];
  return ours.find((name) => names.includes(name));
}

function needsVerb(tool: string, noun: string, names: readonly string[]): QemuError {
  const hint = `see: ${tool} ${noun} --help`;
  return new QemuError('QEMU_USAGE', `"${noun}" needs one of: ${names.join(', ')}`, { hint });
}
