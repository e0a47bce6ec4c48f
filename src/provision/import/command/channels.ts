import { quoteComma } from '../../../base/text.ts';
import { type CommandOption, others, property } from './options.ts';
import type { CommandSource } from './source.ts';

/** Monitors, consoles, screens and what runs QEMU. */
export function readChannels(source: CommandSource): void {
  readSerial(source);
  readMonitors(source);
  readScreens(source);
  readRunning(source);
}

function readSerial(source: CommandSource): void {
  const { draft } = source;
  const [first, ...rest] = source.unused('serial');
  if (first) {
    const name = /^chardev:(.+)$/.exec(first.value ?? '')?.[1];
    const chardev = source.byId(name, 'chardev');
    source.use(first);
    if (first.value === 'none' || first.value === 'null') draft.set(first, 'SERIAL', 'off');
    else if (name === 'serial0') draft.set(first, 'SERIAL', 'on');
    else draft.setChanged(first, 'SERIAL', 'on', 'a socket with a log: qemu-init console');
    if (chardev) draft.change(source.use(chardev), 'SERIAL', 'on', 'the socket is in the run-time folder');
  }
  for (const option of rest.filter(({ value }) => value === 'none')) draft.carry(source.use(option), '');
  for (const option of source.unused('parallel')) {
    if (option.value === 'none') draft.carry(source.use(option), '');
  }
}

/** The monitors of qemu-init take the place of all others. */
function readMonitors(source: CommandSource): void {
  const { draft } = source;
  const reason = 'monitors are at the ports of monitor.conf: qemu-mon, qemu-cmd';
  for (const option of source.unused('monitor', 'qmp', 'qmp-pretty')) {
    if (option.value === 'none') draft.carry(source.use(option), '');
    else draft.change(source.use(option), '', undefined, reason);
  }
  for (const option of source.unused('mon')) {
    draft.change(source.use(option), '', undefined, reason);
    const chardev = source.byId(property(option, 'chardev'), 'chardev');
    if (!chardev) continue;
    const credentials = source.byId(property(chardev, 'tls-creds'), 'object');
    if (!chardev.isUsed) draft.change(source.use(chardev), '', undefined, reason);
    if (credentials) credentials.isReplaced = true;
    if (credentials && !credentials.isUsed) draft.change(source.use(credentials), '', undefined, reason);
  }
}

function readScreens(source: CommandSource): void {
  const { draft } = source;
  for (const option of source.unused('vnc')) readVnc(source, option);
  for (const option of source.unused('spice')) {
    draft.setChanged(source.use(option), 'SPICE', 'on', 'on a socket in the run-time folder: qemu-init vnc');
  }
  for (const option of source.unused('nographic')) {
    draft.settings.set('VGA', draft.settings.get('VGA') ?? 'none');
    if (draft.settings.get('SERIAL') === 'off') draft.carry(source.use(option), 'VGA');
    else draft.setChanged(source.use(option), 'SERIAL', 'on', 'the console is on a socket: qemu-init console');
  }
  for (const option of source.unused('display')) {
    if (property(option, 'type') === 'none') draft.carry(source.use(option), '');
    else draft.lose(source.use(option), 'no window is opened: qemu-init vnc');
  }
  for (const option of source.unused(
    'curses',
    'sdl',
    'show-cursor',
    'full-screen',
    'no-quit',
    'no-frame',
    'alt-grab',
    'ctrl-grab',
  )) {
    draft.lose(source.use(option), 'no window is opened: qemu-init vnc');
  }
}

function readVnc(source: CommandSource, option: CommandOption): void {
  const { draft } = source;
  const address = property(option, 'vnc') ?? '';
  const [, host = '', display = '0'] = /^(.*):(\d+)$/.exec(address) ?? [];
  const hasPassword = ['on', 'yes'].includes(property(option, 'password') ?? '');
  source.use(option);
  if (address === 'none') draft.set(option, 'VNC', 'off');
  else if (address.startsWith('unix:'))
    draft.setChanged(option, 'VNC', 'unix', 'the socket is in the run-time folder: qemu-init vnc');
  else if (/^(?:127\.0\.0\.1|localhost|\[?::1\]?)$/.test(host) && !hasPassword) {
    const loopback = host.includes('::1') ? '[::1]' : '127.0.0.1';
    draft.set(option, 'VNC', `${loopback}:${display}`);
  } else {
    const why = hasPassword
      ? 'on this host only, until its password is in a file: VNC=ADDRESS,password=FILE'
      : 'on this host only: other addresses need a password or TLS';
    draft.setChanged(option, 'VNC', `127.0.0.1:${display}`, why);
  }
  source.loseParts(option, others(option, 'vnc', 'password', 'audiodev', 'to', 'share'), 'has no counterpart');
}

/** What belongs to the start of QEMU, not to the machine, and why it is not taken over. */
const RUN: Readonly<Record<string, string>> = {
  daemonize: 'QEMU is started in the background',
  pidfile: 'the pid file is in the run-time folder',
  D: "QEMU's messages are in the log: qemu-init log",
  msg: "QEMU's messages are in the log: qemu-init log",
  S: 'see "qemu-init start --paused"',
  preconfig: 'see "qemu-init start --preconfig"',
  incoming: 'belongs to a move',
  loadvm: 'see "qemu-init snapshot revert"',
  'no-shutdown': 'QEMU ends when the guest powers off',
  nodefaults: 'is always given',
  'no-user-config': 'is always given',
  nouserconfig: 'is always given',
  nodefconfig: 'is always given',
  id: 'a number of Proxmox VE',
  version: 'does not describe a machine',
  help: 'does not describe a machine',
  h: 'does not describe a machine',
};

function readRunning(source: CommandSource): void {
  const { draft } = source;
  for (const option of source.unused(...Object.keys(RUN))) {
    const reason = RUN[option.name] ?? '';
    if (reason === 'is always given') draft.carry(source.use(option), '');
    else draft.change(source.use(option), '', undefined, reason);
  }
  for (const option of source.unused('runas')) {
    if (option.value !== undefined)
      draft.setChanged(source.use(option), 'RUNAS', option.value, 'from the first instruction on');
  }
  for (const option of source.unused('sandbox')) {
    const isOn = property(option, 'enable') === 'on';
    draft.set(source.use(option), 'SANDBOX', isOn ? 'on' : 'off');
  }
  for (const option of source.unused('boot')) readBoot(source, option);
  for (const option of source.unused('readconfig')) {
    draft.refuse(source.use(option), 'more of the machine is in that file: it is not read');
  }
}

/** What `-boot` says of the menu of the firmware. */
const MENU_PARTS: readonly string[] = ['menu', 'splash', 'splash-time', 'reboot-timeout'];

function readBoot(source: CommandSource, option: CommandOption): void {
  const { draft } = source;
  const names: Readonly<Record<string, string>> = { c: 'disk', d: 'cdrom', n: 'network' };
  const order = property(option, 'order');
  const devices = (order ?? '').split('').flatMap((letter) => names[letter] ?? []);
  source.use(option);
  if (devices.length > 0) draft.set(option, 'BOOT', devices.join(','));
  else draft.carry(option, 'BOOT');
  if (/[^cdn]/.test(order ?? '')) {
    draft.lose({ line: option.line, source: `-boot order=${order}` }, 'machines boot from disks, CD-ROMs and networks');
  }
  for (const [name, value] of others(option, 'order')) {
    const isOurs = (name === 'menu' && value === 'off') || (name === 'strict' && value === 'on');
    const place = { line: option.line, source: `-boot ${name}=${value}` };
    if (name === 'strict') draft.isStrictBoot = value === 'on';
    if (isOurs) continue;
    // A boot menu goes together with any order.
    if (MENU_PARTS.includes(name))
      draft.addCustom(place, ['-boot', `${name}=${quoteComma(value)}`], 'an option of QEMU');
    else draft.lose(place, 'has no counterpart');
  }
}
