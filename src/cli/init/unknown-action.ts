import { QemuError } from '../../base/errors.ts';
import { nearest } from '../../base/text.ts';
import { type Action, nameOf } from './action.ts';

/**
 * Names of actions in other tools (virsh, qm, docker, incus, vm-bhyve, quickemu), with our names. They include words
 * that resemble an opposite action, such as `top` and `stop`.
 */
const ELSEWHERE: Readonly<Record<string, string>> = {
  add: 'register',
  autostart: 'enable',
  boot: 'start',
  cat: 'showcmd',
  config: 'explain',
  configure: 'edit',
  copy: 'clone',
  define: 'register',
  destroy: 'kill',
  dominfo: 'status',
  domstate: 'status',
  down: 'stop',
  dumpxml: 'showcmd',
  exec: 'qemu-cmd',
  freeze: 'pause',
  halt: 'stop',
  info: 'status',
  inspect: 'status',
  lint: 'check',
  ls: 'list',
  monitor: 'qemu-mon',
  new: 'create',
  poweroff: 'stop',
  ps: 'status',
  reboot: 'restart',
  remove: 'delete',
  rm: 'delete',
  run: 'start',
  set: 'edit',
  setmem: 'edit',
  show: 'status',
  shutdown: 'stop',
  stat: 'status',
  suspend: 'pause',
  terminal: 'console',
  test: 'check',
  undefine: 'delete',
  unfreeze: 'resume',
  unpause: 'resume',
  up: 'start',
  validate: 'check',
  verify: 'check',
  vms: 'list',
  vncdisplay: 'vnc',
};

/** Remarks about some of these words. */
const REMARKS: Readonly<Record<string, string>> = {
  destroy: 'it pulls the plug; "stop" asks the guest first',
  reboot: '"reset" presses the reset button',
};

/** Options of all actions that take no value: after any other the next word may be its value. */
const WITHOUT_VALUE = /^--(json|quiet|verbose|debug|(no-)?color|system|user|direct|help|version|all|force|-?)$/;

/**
 * The error of a command line whose first word is not an action; undefined when it is, or without a first
 * word. The parser would call it an unknown argument, without suggesting an action.
 *
 * @param actions names of all actions, including planned ones.
 */
export function unknownAction(argv: readonly string[], actions: readonly string[]): QemuError | undefined {
  const words = wordsOf(argv);
  const [first] = words;
  if (first === undefined || actions.includes(first)) return undefined;
  // A machine may have the name of an action, and "web" is what many are called.
  const later = words.find((word) => actions.includes(word) && word !== 'web');
  const hint = later === undefined ? hintFor(first, actions) : `the action comes first: ${reordered(words, later)}`;
  return new QemuError('QEMU_USAGE', `There is no action "${first}"`, { hint });
}

function needsVerb(noun: string, names: readonly string[]): QemuError {
  const hint = `see: qemu-init ${noun} --help`;
  return new QemuError('QEMU_USAGE', `"${noun}" needs one of: ${names.join(', ')}`, { hint });
}

/** The words of a command line that are neither options nor their values. */
export function wordsOf(argv: readonly string[]): string[] {
  return argv.filter((word, at) => !word.startsWith('-') && !isValue(argv[at - 1]));
}

/**
 * The error of a command line with a verb that its noun does not have. Where a machine may take the verb's place,
 * only for words that resemble a verb and are followed by the words that it takes; undefined otherwise.
 */
export function unknownVerb(argv: readonly string[], { command, verbs = [], load }: Action): QemuError | undefined {
  const words = wordsOf(argv);
  const noun = nameOf({ command });
  const [, word, ...rest] = words;
  const names = verbs.map(nameOf);
  if (words[0] !== noun || names.length === 0 || names.includes(word ?? '')) return undefined;
  if (word === undefined) return load ? undefined : needsVerb(noun, names);
  const near = nearest(word, names);
  const meant = verbs.find((verb) => nameOf(verb) === near);
  const isLike = meant?.command.split(' ').length === rest.length + 1;
  if (load !== undefined && !isLike) return undefined;
  const hint =
    near === undefined
      ? `see: qemu-init ${noun} --help`
      : `did you mean "${noun} ${near}"? see: qemu-init ${noun} --help`;
  return new QemuError('QEMU_USAGE', `There is no action "${noun} ${word}"`, { hint });
}

function isValue(before: string | undefined): boolean {
  return before !== undefined && /^--\w/.test(before) && !before.includes('=') && !WITHOUT_VALUE.test(before);
}

function hintFor(word: string, actions: readonly string[]): string {
  const lower = word.toLowerCase();
  const ofAll = /^(\w+?)-?all$/.exec(lower)?.[1];
  if (ofAll !== undefined && actions.includes(ofAll)) return `for all machines: qemu-init ${ofAll} --all`;
  const meant = Object.hasOwn(ELSEWHERE, lower) ? ELSEWHERE[lower] : near(word, actions);
  if (meant === undefined) return 'see: qemu-init --help';
  const remark = Object.hasOwn(REMARKS, lower) ? ` (${REMARKS[lower]})` : '';
  const isTool = meant.startsWith('qemu-');
  return `did you mean "${meant}"?${remark} see: ${isTool ? meant : `qemu-init ${meant}`} --help`;
}

/**
 * The nearest action with the same first letter: a word that begins differently is rarely a slip, and may resemble an
 * opposite: "upstart", "top".
 */
function near(word: string, actions: readonly string[]): string | undefined {
  const [a = '', b = ''] = word.toLowerCase();
  return nearest(
    word,
    actions.filter((action) => action.startsWith(a) || action.startsWith(b + a)),
  );
}

/** Actions that take no machines, or are about all. */
const WITHOUT_NAMES: ReadonlySet<string> = new Set(['doctor', 'install', 'list', 'qmp-types', 'uninstall']);

function reordered(words: readonly string[], action: string): string {
  if (WITHOUT_NAMES.has(action)) return `qemu-init ${action}`;
  const others = words.filter((word) => word !== action);
  return ['qemu-init', action, ...others].join(' ');
}
