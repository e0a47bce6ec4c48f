import type { Argv } from 'yargs';
import type { Action } from '../action.ts';
import { many, manyAtOnce, milliseconds, one, RATE, releasing, seconds, starting, stopping } from '../parameters.ts';

const DOWNTIME = {
  type: 'string',
  requiresArg: true,
  coerce: milliseconds,
  describe: 'Milliseconds the guest may stand still (300)',
} as const;

/** Actions of the group "Life", in the order of the help text. */
export const LIFE: readonly Action[] = [
  {
    command: 'start [ids..]',
    group: 'Life',
    examples: [
      ['web db', 'Two machines'],
      ['--autostart', 'All machines that start with the host'],
    ],
    describe: 'Start machines',
    options: (parser) =>
      starting(parser)
        .option('autostart', { type: 'boolean', describe: 'All machines with AUTOSTART=on, after their BOOTDELAY' })
        .option('fresh', { type: 'boolean', describe: 'Drop a saved state, instead of going on from it' })
        .option('i-know', { type: 'boolean', describe: 'Start one that has moved away: its guest runs nowhere else' })
        .option('alone', { type: 'boolean', describe: 'Do not start machines in REQUIRES; they must be running' })
        .conflicts('autostart', 'all'),
    load: () => import('./start.ts'),
  },
  {
    command: 'stop [ids..]',
    group: 'Life',
    examples: [
      ['web', 'Asks the guest to shut down, and waits up to STOPDELAY'],
      ['--all --timeout 30', 'Gives each guest half a minute to shut down'],
    ],
    describe: 'Stop machines: power button, quit, SIGTERM, SIGKILL',
    options: (parser) =>
      stopping(parser)
        .option('kill', {
          type: 'boolean',
          default: true,
          describe: 'Go on after the power button (--no-kill: do not)',
        })
        .option('deadline', {
          type: 'string',
          requiresArg: true,
          coerce: seconds,
          describe: 'Seconds for all guests together',
        }) as Argv<object>,
    load: () => import('./stop.ts'),
  },
  {
    command: 'save [ids..]',
    group: 'Life',
    examples: [['web', 'The next start goes on from there, also after a reboot of the host']],
    describe: 'Save the state of running guests to disk, and end QEMU',
    options: manyAtOnce,
    load: () => import('./save.ts'),
  },
  {
    command: 'migrate <id> <dest>',
    group: 'Life',
    examples: [
      ['web ssh://root@node2 --check', 'Shows all that is in the way'],
      ['web ssh://root@node2', 'Moves it while its guest runs on'],
    ],
    describe: 'Move a running machine to another place',
    options: (parser) =>
      one(parser)
        .positional('dest', {
          type: 'string',
          demandOption: true,
          describe: 'ssh://[USER@]HOST[:PORT][/ROOT], or root:DIR on this host',
        })
        .option('check', { type: 'boolean', describe: 'Only report what is in the way' })
        .option('copy-disks', { type: 'boolean', describe: 'Copy the disks, too' })
        .option('rate', RATE)
        .option('downtime', DOWNTIME)
        .option('timeout', {
          type: 'string',
          requiresArg: true,
          coerce: seconds,
          describe: 'Seconds until a guest that changes its memory too fast stays (3600)',
        })
        .option('keep-config', {
          type: 'boolean',
          describe: 'Leave the machine registered here, too',
        }) as Argv<object>,
    load: () => import('./migrate.ts'),
  },
  {
    command: 'restart [ids..]',
    group: 'Life',
    examples: [['web --live', 'Has it go on in the QEMU that is installed now; its guest notices nothing']],
    describe: 'Stop and start machines',
    options: (parser) =>
      stopping(parser)
        .option('live', { type: 'boolean', describe: 'Only replace QEMU: the guest goes on in a new one' })
        .option('check', { type: 'boolean', describe: 'With --live: only report what is in the way' })
        .option('rate', RATE)
        .option('downtime', DOWNTIME)
        .conflicts('live', 'force')
        .implies({ check: 'live', rate: 'live', downtime: 'live' }),
    load: () => import('./restart.ts'),
  },
  {
    command: 'try-restart [ids..]',
    group: 'Life',
    describe: 'Restart machines that are running',
    options: stopping,
    load: () => import('./try-restart.ts'),
  },
  {
    command: 'reload [ids..]',
    group: 'Life',
    examples: [['web', 'Plugs in a disk that its file has now, and unplugs a card that it no longer has']],
    describe: 'Change running machines to what their files say',
    options: (parser) => releasing(many(parser)),
    load: () => import('./reload.ts'),
  },
  {
    command: 'force-reload [ids..]',
    group: 'Life',
    describe: 'Reload, or restart if that is necessary',
    options: stopping,
    load: () => import('./force-reload.ts'),
  },
  {
    command: 'kill [ids..]',
    group: 'Life',
    describe: 'End QEMU at once with SIGKILL',
    options: manyAtOnce,
    load: () => import('./kill.ts'),
  },
  {
    command: 'reset [ids..]',
    group: 'Life',
    describe: 'Press the reset button',
    options: many,
    load: async () => ({ run: (await import('./monitor-actions.ts')).reset }),
  },
  {
    command: 'pause [ids..]',
    group: 'Life',
    describe: 'Pause the processors',
    options: many,
    load: async () => ({ run: (await import('./monitor-actions.ts')).pause }),
  },
  {
    command: 'resume [ids..]',
    group: 'Life',
    describe: 'Let paused processors run again',
    options: many,
    load: async () => ({ run: (await import('./monitor-actions.ts')).resume }),
  },
  {
    command: 'wake [ids..]',
    group: 'Life',
    describe: 'Wake sleeping guests',
    options: many,
    load: async () => ({ run: (await import('./monitor-actions.ts')).wake }),
  },
  {
    command: 'exit-preconfig [ids..]',
    group: 'Life',
    describe: 'Create the machine that --preconfig held back',
    options: many,
    load: async () => ({ run: (await import('./monitor-actions.ts')).exitPreconfig }),
  },
  {
    command: 'wait [ids..]',
    group: 'Life',
    examples: [['web --for port=22 --timeout 120', 'Until the guest answers on that port']],
    describe: 'Wait until machines reach a state',
    options: (parser) =>
      many(parser)
        .option('for', {
          type: 'string',
          array: true,
          requiresArg: true,
          default: ['running'],
          describe: 'running, stopped, agent, console=REGEX or port=[ADDRESS:]PORT; may be repeated',
        })
        .option('timeout', {
          type: 'string',
          requiresArg: true,
          coerce: seconds,
          default: '60',
          describe: 'Seconds to wait, for all conditions together',
        }) as Argv<object>,
    load: () => import('./wait.ts'),
  },
];
