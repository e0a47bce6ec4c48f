import { QemuError } from '../../base/errors.ts';
import { nearest } from '../../base/text.ts';
import { wordsOf } from '../run/words.ts';

/**
 * Names of actions in other tools (virsh, qm, docker, incus, vm-bhyve, quickemu), with our names. They include words
 * that resemble an opposite action, such as `top` and `stop`.
 */
const ELSEWHERE: Readonly<Record<string, string>> = {
  add: 'register',
  'attach-device': 'attach',
  'attach-disk': 'attach',
  'attach-interface': 'attach',
  autostart: 'enable',
  'backup-begin': 'backup',
  blockcommit: 'disk',
  blockcopy: 'disk',
  blockresize: 'disk',
  boot: 'start',
  bridge: 'qemu-netif',
  cat: 'showcmd',
  'change-media': 'insert',
  config: 'explain',
  configure: 'edit',
  copy: 'clone',
  define: 'register',
  destroy: 'kill',
  'detach-device': 'detach',
  'detach-disk': 'detach',
  'detach-interface': 'detach',
  domblklist: 'disk',
  domdisplay: 'vnc',
  'domif-setlink': 'nic',
  domifaddr: 'status',
  domiflist: 'nic',
  dominfo: 'status',
  dommemstat: 'balloon',
  dompmwakeup: 'wake',
  domrename: 'rename',
  domstate: 'status',
  domstats: 'top',
  'domxml-to-native': 'showcmd',
  down: 'stop',
  download: 'image',
  dumpxml: 'showcmd',
  enter: 'console',
  event: 'events',
  exec: 'qemu-cmd',
  freeze: 'pause',
  guest: 'agent',
  halt: 'stop',
  importdisk: 'create',
  info: 'status',
  inspect: 'status',
  ip: 'status',
  iso: 'image',
  lint: 'check',
  listsnapshot: 'snapshot',
  login: 'console',
  ls: 'list',
  managedsave: 'save',
  migration: 'migrate',
  monitor: 'qemu-mon',
  move: 'migrate',
  mv: 'rename',
  'net-list': 'qemu-netif',
  network: 'qemu-netif',
  new: 'create',
  nodeinfo: 'doctor',
  poweroff: 'stop',
  ps: 'status',
  pull: 'image',
  'qemu-agent-command': 'agent',
  'qemu-monitor-command': 'qemu-cmd',
  reboot: 'restart',
  remove: 'delete',
  resize: 'disk',
  rm: 'delete',
  rollback: 'snapshot',
  run: 'start',
  'send-key': 'sendkey',
  set: 'edit',
  setmem: 'edit',
  setvcpus: 'edit',
  shell: 'console',
  show: 'status',
  shutdown: 'stop',
  'snapshot-create': 'snapshot',
  'snapshot-create-as': 'snapshot',
  'snapshot-delete': 'snapshot',
  'snapshot-list': 'snapshot',
  'snapshot-revert': 'snapshot',
  ssh: 'console',
  stat: 'status',
  stats: 'top',
  suspend: 'pause',
  tail: 'log',
  template: 'clone',
  terminal: 'console',
  test: 'check',
  undefine: 'unregister',
  unfreeze: 'resume',
  unlock: 'jobs',
  unpause: 'resume',
  up: 'start',
  usage: 'top',
  validate: 'check',
  verify: 'check',
  viewer: 'vnc',
  vms: 'list',
  vncdisplay: 'vnc',
  vzdump: 'backup',
};

/** Remarks about some of these words. */
const REMARKS: Readonly<Record<string, string>> = {
  destroy: 'it pulls the plug; "stop" asks the guest first, "delete" removes a machine',
  ip: 'of a running machine, and as its agent has them: "agent ID addresses"',
  reboot: '"reset" presses the reset button',
  undefine: 'files stay; "delete" removes them, too',
  unlock: 'a killed command needs no unlocking; "jobs" shows work that goes on',
};

/**
 * The error of a command line whose first word is not an action; undefined when it is, or without a first
 * word. The parser would call it an unknown argument, without suggesting an action.
 *
 * @param actions names of all actions.
 */
export function unknownAction(argv: readonly string[], actions: readonly string[]): QemuError | undefined {
  const words = wordsOf(argv);
  const [first] = words;
  if (first === undefined) return undefined;
  const isSwapped = first === 'web' && words.slice(1).some((word) => actions.includes(word));
  if (actions.includes(first) && !isSwapped) return undefined;
  // A machine may have the name of an action, and "web" is what many are called.
  const later = words.find((word) => actions.includes(word) && word !== 'web');
  const hint = later === undefined ? hintFor(first, actions) : `the action comes first: ${reordered(words, later)}`;
  const message = isSwapped ? `"${first}" takes no machines` : `There is no action "${first}"`;
  return new QemuError('QEMU_USAGE', message, { hint });
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
