import type { Problem } from '../base/problem.ts';

/** What is wrong with an option of `[custom]`. */
export interface CustomProblem {
  /** The option as written. */
  readonly option: string;
  readonly severity: Problem['severity'];
  /** A clause: why it cannot be used, or what it does. */
  readonly problem: string;
  readonly hint?: string | undefined;
}

type Judgement = Omit<CustomProblem, 'option'>;

/** Reports options that collide with what qemu-init does itself, or have no effect together with it. Pure. */
export function checkCustom(args: readonly string[]): CustomProblem[] {
  return args.flatMap((arg, at): CustomProblem[] => {
    if (!/^--?[A-Za-z]/.test(arg)) return [];
    const next = args[at + 1] ?? '';
    const value = next.startsWith('-') && next !== '-' ? '' : next;
    const found = check(arg.replace(/^--?/, ''), value);
    return found.map((judgement) => ({ option: arg, ...judgement }));
  });
}

const error = (problem: string, hint?: string): Judgement => ({ severity: 'error', problem, hint });
const warning = (problem: string, hint?: string): Judgement => ({ severity: 'warning', problem, hint });

/** There is a key for the option. QEMU uses the last one, so what qemu-init knows about the machine would be wrong. */
const instead = (key: string, more = ''): Judgement =>
  warning(`overrides ${key}, which qemu-init checks and relies on`, `set ${key}= instead${more}`);

const SEMIHOSTING = 'lets the guest read and write files of the host, as the user that QEMU runs as';

const UNMANAGED = 'is not managed by qemu-init';

/** For options, whatever their value. */
const OPTIONS: Readonly<Record<string, Judgement>> = {
  daemonize: error('qemu-init itself starts QEMU in the background'),
  pidfile: error('qemu-init finds QEMU by its own pid file'),
  snapshot: error(
    'it has no effect: every DSKx has its own snapshot=, so the guest would write to the images',
    'add snapshot=on to DSKx',
  ),
  'enable-kvm': error('QEMU does not accept it together with -accel', 'set KVM=on'),
  accel: warning('has no effect: the accelerator of KVM= comes first', 'set KVM=on or off'),
  S: warning('stops every start before the first instruction', 'use: qemu-init start --paused'),
  preconfig: warning('stops every start before the machine is created', 'use: qemu-init start --preconfig'),
  'no-shutdown': warning(
    'keeps QEMU in the state "shutdown" after the guest has shut down, until it is stopped',
    'leave it out',
  ),
  nographic: warning('has no effect together with SERIAL and -display none', 'set VNC=off and VGA=none'),
  display: warning('opens a window, but QEMU has no screen', 'set VNC= instead'),
  vnc: instead('VNC', ', which keeps other users out'),
  vga: instead('VGA'),
  spice: instead('SPICE', ', which keeps other users out'),
  k: instead('KEYMAP'),
  rtc: instead('RTC'),
  runas: instead('RUNAS', ', which applies from the first instruction'),
  chroot: warning('hides images, sockets and logs from QEMU while it runs', 'set RUNAS=auto and SANDBOX=on'),
  sandbox: instead('SANDBOX'),
  cpu: instead('CPU'),
  smp: instead('SMP'),
  uuid: instead('UUID'),
  kernel: instead('KERNEL'),
  initrd: instead('INITRD'),
  append: instead('APPEND'),
  bios: instead('FIRMWARE'),
  pflash: instead('FIRMWARE'),
  watchdog: instead('WATCHDOG'),
  'watchdog-action': instead('WATCHDOG'),
  hda: instead('DSKx'),
  hdb: instead('DSKx'),
  hdc: instead('DSKx'),
  hdd: instead('DSKx'),
  cdrom: instead('CDRx'),
  incoming: warning('makes every start wait for an incoming migration', 'leave it out'),
  loadvm: warning('restores that snapshot at every start', 'leave it out'),
  readconfig: warning('reads options from a file that qemu-init does not check', 'write them into [custom]'),
  writeconfig: error('QEMU exits after it'),
  s: warning("opens a debugger's port: every user of this host can read and modify the guest", 'use -gdb unix:FILE'),
  monitor: warning(`${UNMANAGED}: anyone who can reach the port of a monitor controls QEMU`, 'use: qemu-mon'),
  qmp: warning(`${UNMANAGED}: anyone who can reach the port of a monitor controls QEMU`, 'use: qemu-cmd -q'),
  'qmp-pretty': warning(`${UNMANAGED}: anyone who can reach the port of a monitor controls QEMU`, 'use: qemu-cmd -q'),
  plugin: warning('loads code into QEMU'),
  semihosting: warning(SEMIHOSTING),
  help: error('QEMU prints it and exits'),
  h: error('QEMU prints it and exits'),
  version: error('QEMU prints it and exits'),
};

function check(name: string, value: string): Judgement[] {
  const own = Object.hasOwn(OPTIONS, name) ? OPTIONS[name] : undefined;
  return [...(own ? [own] : []), ...checkOpenFile(name, value), ...checkValue(name, value)];
}

/** Options in which a program that starts QEMU names files that it has open. */
const TAKES_OPEN_FILE = /^(?:add-fd|chardev|device|incoming|net|netdev|nic|object)$/;

function checkOpenFile(name: string, value: string): Judgement[] {
  const found = TAKES_OPEN_FILE.test(name) ? OPEN_FILE.exec(value)?.[1] : undefined;
  if (found === undefined) return [];
  const named = found.replaceAll(/["\s]/g, '').replace(/^([a-z]+):/, '$1=');
  return [error(`takes an open file of the program that starts QEMU, ${named}, and qemu-init passes on none`)];
}

/** `fd=5`, `vhostfds=5:6`, `fd:5`; in JSON `"fd":"5"`. */
const OPEN_FILE = /(?:^|[,{]\s*)("?(?:vhost)?fds?"?(?:=|:\s*)"?\d[\d:]*)/;

/** For options whose value decides. */
function checkValue(name: string, value: string): Judgement[] {
  if (/^(?:help|\?)$/.test(value) || /,(?:help|\?)$/.test(value)) return [error('QEMU prints it and exits')];
  switch (name) {
    case 'machine':
    case 'M':
      return checkMachineOption(value);
    case 'm':
      return /^(?:size=)?\d/.test(value) ? [instead('RAM')] : [];
    case 'name':
      return /^(?!process=|debug-threads=)/.test(value) ? [instead('NAME')] : [];
    case 'boot':
      return checkBoot(value);
    case 'gdb':
      return /^unix:|path=/.test(value)
        ? []
        : [warning("opens a debugger's port: anyone who can reach it can read and modify the guest", 'use unix:FILE')];
    case 'action':
      return /shutdown=pause/.test(value) && OPTIONS['no-shutdown'] ? [OPTIONS['no-shutdown']] : [];
    case 'semihosting-config':
      return /(?:^|,)enable=off(?:,|$)/.test(value) ? [] : [warning(SEMIHOSTING)];
    case 'incoming':
      return value.startsWith('exec:') ? [warning(`runs a shell command, ${JSON.stringify(value)}`)] : [];
    default:
      return [];
  }
}

function checkMachineOption(value: string): Judgement[] {
  const issues: Judgement[] = [];
  if (/(?:^|,)accel=/.test(value))
    issues.push(error('QEMU does not accept accel= together with -accel', 'set KVM=on or off'));
  if (/(?:^|,)dumpdtb=/.test(value)) issues.push(error('QEMU writes the device tree and exits'));
  const type = /^(?:type=)?([^,=]+)(?:,|$)/.exec(value)?.[1];
  if (type !== undefined) issues.push(instead('MACHINE'));
  return issues;
}

/** Every disk, drive and NIC has a bootindex, which takes precedence over any order. */
function checkBoot(value: string): Judgement[] {
  const hasOrder = /(?:^|,)(?:order|once)=/.test(value) || /^[a-z]+(?:,|$)/.test(value);
  return hasOrder
    ? [
        warning(
          'has no effect: every disk, drive and card has a bootindex, which takes precedence',
          'set BOOT=cdrom,disk',
        ),
      ]
    : [];
}
