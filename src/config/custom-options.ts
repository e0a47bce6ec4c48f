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

/** All that is known to collide with what qemu-init does itself, or to do nothing next to it. Pure. */
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

/** The key takes the place of the option. QEMU takes the last one, and what qemu-init knows of the machine is then not true. */
const instead = (key: string, more = ''): Judgement =>
  warning(`takes the place of ${key}, which qemu-init checks and keeps to`, `set ${key}= instead${more}`);

const UNMANAGED = 'is not managed by qemu-init';

/** By option, whatever its value. */
const OPTIONS: Readonly<Record<string, Judgement>> = {
  daemonize: error('qemu-init starts QEMU in the background by itself'),
  pidfile: error('qemu-init finds QEMU by its own pid file'),
  snapshot: error(
    'it does nothing: every DSKx says snapshot=on or off itself, and the guest would write to the images',
    'write snapshot=on at DSKx',
  ),
  'enable-kvm': error('QEMU does not take it next to -accel', 'set KVM=on'),
  accel: warning('does nothing: the accelerator of KVM= comes first', 'set KVM=on or off'),
  S: warning('leaves every start before the first instruction', 'use: qemu-init start --paused'),
  preconfig: warning('leaves every start before the machine is made', 'use: qemu-init start --preconfig'),
  'no-shutdown': warning(
    'keeps QEMU when the guest has gone down, in the state "shutdown"; a stop then ends it',
    'leave it out',
  ),
  nographic: warning('does nothing next to SERIAL and -display none', 'set VNC=off and VGA=none'),
  display: warning('opens a window where QEMU has no screen', 'set VNC= instead'),
  vnc: instead('VNC', ', which keeps others out'),
  vga: instead('VGA'),
  spice: instead('SPICE', ', which keeps others out'),
  k: instead('KEYMAP'),
  rtc: instead('RTC'),
  runas: instead('RUNAS', ', which counts from the first instruction on'),
  chroot: warning(
    'takes the paths of images, sockets and logs from QEMU once it runs',
    'set RUNAS=auto and SANDBOX=on',
  ),
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
  incoming: warning('makes every start wait for a machine that moves here', 'leave it out'),
  loadvm: warning('takes the guest back to that snapshot at every start', 'leave it out'),
  readconfig: warning('reads options from a file, which nothing here checks', 'write them into [custom]'),
  writeconfig: error('QEMU ends after it'),
  s: warning("opens a debugger's port: every user of this host can read and change the guest", 'use -gdb unix:FILE'),
  monitor: warning(`${UNMANAGED}: a monitor on a port commands QEMU for everybody who reaches it`, 'use: qemu-mon'),
  qmp: warning(`${UNMANAGED}: a monitor on a port commands QEMU for everybody who reaches it`, 'use: qemu-cmd -q'),
  'qmp-pretty': warning(
    `${UNMANAGED}: a monitor on a port commands QEMU for everybody who reaches it`,
    'use: qemu-cmd -q',
  ),
  plugin: warning('loads code into QEMU'),
  help: error('QEMU prints and ends'),
  h: error('QEMU prints and ends'),
  version: error('QEMU prints and ends'),
};

function check(name: string, value: string): Judgement[] {
  const own = Object.hasOwn(OPTIONS, name) ? OPTIONS[name] : undefined;
  return [...(own ? [own] : []), ...checkValue(name, value)];
}

/** By what the option is told. */
function checkValue(name: string, value: string): Judgement[] {
  if (/^(?:help|\?)$/.test(value) || /,(?:help|\?)$/.test(value)) return [error('QEMU prints and ends')];
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
        : [warning("opens a debugger's port: everybody who reaches it can read and change the guest", 'use unix:FILE')];
    case 'action':
      return /shutdown=pause/.test(value) && OPTIONS['no-shutdown'] ? [OPTIONS['no-shutdown']] : [];
    case 'incoming':
      return value.startsWith('exec:') ? [warning(`runs a command of a shell, ${JSON.stringify(value)}`)] : [];
    case 'netdev':
    case 'net':
    case 'nic':
      return checkNetworkFindings(value);
    default:
      return [];
  }
}

function checkMachineOption(value: string): Judgement[] {
  const issues: Judgement[] = [];
  if (/(?:^|,)accel=/.test(value)) issues.push(error('QEMU does not take accel= next to -accel', 'set KVM=on or off'));
  const type = /^(?:type=)?([^,=]+)(?:,|$)/.exec(value)?.[1];
  if (type !== undefined) issues.push(instead('MACHINE'));
  return issues;
}

/** Every disk, drive and NIC has a bootindex, which counts before any order. */
function checkBoot(value: string): Judgement[] {
  const hasOrder = /(?:^|,)(?:order|once)=/.test(value) || /^[a-z]+(?:,|$)/.test(value);
  return hasOrder
    ? [warning('does nothing: every disk, drive and card has a bootindex, which comes first', 'set BOOT=cdrom,disk')]
    : [];
}

function checkNetworkFindings(value: string): Judgement[] {
  const program = /(?:^|,)(script|downscript|helper|smb|guestfwd)=([^,]*)/.exec(value);
  if (!program || program[2] === 'no' || program[1] === 'smb') return [];
  const isCommand = program[1] !== 'guestfwd' || value.includes('-cmd:');
  return isCommand ? [warning(`runs a program, ${JSON.stringify(program[2])}`)] : [];
}
