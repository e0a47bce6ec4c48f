import type { Argv } from 'yargs';
import type { Run } from '../run/run-tool.ts';

/** Groups of actions, in the order of the help text. */
export const GROUPS = ['Life', 'Look', 'Disks', 'Guest', 'Configure', 'Host'] as const;

/** What actions and their verbs have in common. Their code is loaded when they are called. */
export interface Verb {
  /** In the syntax of yargs: `start [ids..]`. */
  readonly command: string;
  readonly describe: string;
  readonly options?: (parser: Argv<object>) => Argv<object>;
  /** What follows the action on the command line, and what that call is for. */
  readonly examples?: readonly (readonly [words: string, text: string])[];
  readonly load: () => Promise<{ readonly run: Run }>;
}

/** One action of qemu-init, or a noun with verbs. */
export interface Action extends Omit<Verb, 'load'> {
  readonly group: (typeof GROUPS)[number];
  /** Words that may follow this one: `jobs cancel`. */
  readonly verbs?: readonly Verb[];
  /** Missing for a noun that needs a verb. */
  readonly load?: () => Promise<{ readonly run: Run }>;
}

const MACHINES = { type: 'string', array: true, describe: 'Short or long names, or paths of cfg files' } as const;

const many = (parser: Argv<object>): Argv<object> =>
  parser.positional('ids', MACHINES).option('all', { type: 'boolean', describe: 'All machines' }) as Argv<object>;

const manyAtOnce = (parser: Argv<object>): Argv<object> =>
  many(parser).option('parallel', {
    type: 'string',
    requiresArg: true,
    describe: 'Number of machines handled at a time',
    coerce: count,
  }) as Argv<object>;

const one = (parser: Argv<object>): Argv<object> =>
  parser.positional('id', {
    type: 'string',
    demandOption: true,
    describe: 'Short or long name, or path of a cfg file',
  }) as Argv<object>;

const starting = (parser: Argv<object>): Argv<object> =>
  manyAtOnce(parser)
    .option('paused', { type: 'boolean', describe: "Stop before the guest's first instruction" })
    .option('preconfig', { type: 'boolean', describe: 'Stop before QEMU creates the machine' })
    .conflicts('paused', 'preconfig');

const stopping = (parser: Argv<object>): Argv<object> =>
  manyAtOnce(parser)
    .option('timeout', {
      type: 'string',
      requiresArg: true,
      coerce: seconds,
      describe: 'Seconds the guest has to shut down, instead of STOPDELAY',
    })
    .option('force', {
      type: 'boolean',
      describe: 'Do not ask the guest to shut down: begin with quit',
    }) as Argv<object>;

const installing = (parser: Argv<object>): Argv<object> =>
  parser
    .option('prefix', { type: 'string', requiresArg: true, describe: 'Folder for programs and units (/usr)' })
    .option('destdir', { type: 'string', requiresArg: true, describe: 'Folder to use as /, for packagers' })
    .option('dry-run', { type: 'boolean', describe: 'Only print what would be done' }) as Argv<object>;

function count(text: string): number {
  if (!/^[1-9]\d{0,4}$/.test(text)) throw new Error(`--parallel must be a whole number from 1 to 99999, not "${text}"`);
  return Number(text);
}

/** Seconds as a decimal number. */
export function seconds(text: string): number {
  if (!/^\d{1,7}(\.\d+)?$/.test(text)) throw new Error(`"${text}" is not a number of seconds`);
  return Number(text);
}

/** First word of a command in the syntax of yargs: the name of the action or verb. */
export function nameOf({ command }: Pick<Verb, 'command'>): string {
  return command.split(' ')[0] ?? '';
}

/** All actions, in the order of the help text. */
export const ACTIONS: readonly Action[] = [
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
    command: 'restart [ids..]',
    group: 'Life',
    describe: 'Stop and start machines',
    options: stopping,
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
    describe: 'Apply configuration changes that need no restart',
    options: many,
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
    command: 'status [ids..]',
    group: 'Look',
    describe: 'Show the status of machines',
    options: many,
    load: () => import('./status.ts'),
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
    load: () => import('./reset.ts'),
  },
  {
    command: 'pause [ids..]',
    group: 'Life',
    describe: 'Pause the processors',
    options: many,
    load: () => import('./pause.ts'),
  },
  {
    command: 'resume [ids..]',
    group: 'Life',
    describe: 'Let paused processors run again',
    options: many,
    load: () => import('./resume.ts'),
  },
  {
    command: 'wake [ids..]',
    group: 'Life',
    describe: 'Wake sleeping guests',
    options: many,
    load: () => import('./wake.ts'),
  },
  {
    command: 'exit-preconfig [ids..]',
    group: 'Life',
    describe: 'Create the machine that --preconfig held back',
    options: many,
    load: () => import('./exit-preconfig.ts'),
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
          describe: 'running, stopped, console=REGEX or port=[ADDRESS:]PORT; may be repeated',
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
  {
    command: 'list',
    group: 'Look',
    examples: [['--macs', 'With the addresses of the network cards']],
    describe: 'List the registered machines',
    options: (parser) =>
      parser.option('macs', { type: 'boolean', describe: 'Show the addresses of the network cards' }).option('all', {
        type: 'boolean',
        alias: 'a',
        describe: 'All machines (as without the option)',
      }) as Argv<object>,
    load: () => import('./list.ts'),
  },
  {
    command: 'check [ids..]',
    group: 'Look',
    describe: 'Look for mistakes in the configuration',
    options: (parser) =>
      many(parser).option('try', {
        type: 'boolean',
        describe: 'Also let QEMU create each machine, without its disks and networks',
      }) as Argv<object>,
    load: () => import('./check.ts'),
  },
  {
    command: 'showcmd [ids..]',
    group: 'Look',
    describe: 'Print the QEMU command line',
    options: many,
    load: () => import('./showcmd.ts'),
  },
  {
    command: 'explain <id>',
    group: 'Look',
    describe: 'Show which key each QEMU option comes from',
    options: one,
    load: () => import('./explain.ts'),
  },
  {
    command: 'jobs [ids..]',
    group: 'Disks',
    describe: 'List background jobs on disks and saved states (default: of all running machines)',
    options: many,
    verbs: [
      {
        command: 'cancel <id> <job>',
        describe: 'Cancel a job, or forget one that has ended',
        options: (parser) =>
          one(parser).positional('job', { type: 'string', demandOption: true, describe: 'Id of the job, as listed' }),
        examples: [['web qi.mirror.dsk1.copy', 'Cancels the copy; the machine keeps running']],
        load: () => import('./jobs-cancel.ts'),
      },
    ],
    examples: [['web', 'Their progress, and why a job failed']],
    load: () => import('./jobs.ts'),
  },
  {
    command: 'register <name> [target]',
    group: 'Configure',
    examples: [['web /srv/vm/web-qemu.cfg', 'A file in another folder']],
    describe: 'Add a machine to the registry',
    options: (parser) =>
      parser
        .positional('name', {
          type: 'string',
          demandOption: true,
          describe: 'Short name; or a long name or path alone',
        })
        .positional('target', { type: 'string', describe: 'Long name, or path of the cfg file' }) as Argv<object>,
    load: () => import('./register.ts'),
  },
  {
    command: 'unregister <id>',
    group: 'Configure',
    describe: 'Remove a machine from the registry',
    options: one,
    load: () => import('./unregister.ts'),
  },
  {
    command: 'edit [id]',
    group: 'Configure',
    describe: 'Edit a configuration file; one with mistakes is never installed',
    options: (parser) =>
      parser
        .positional('id', { type: 'string', describe: 'Machine (default: the registry)' })
        .option('registry', { type: 'boolean', describe: 'The registry' })
        .option('monitor', { type: 'boolean', describe: 'monitor.conf' })
        .option('defaults', { type: 'boolean', describe: 'defaults-qemu.cfg' }) as Argv<object>,
    load: () => import('./edit.ts'),
  },
  {
    command: 'create <name> [words..]',
    group: 'Configure',
    examples: [['web --disk 8G RAM=2G NIC1=br0', 'A machine with an empty disk']],
    describe: 'Create the cfg file of a machine, and register it',
    options: (parser) =>
      parser
        .positional('name', { type: 'string', demandOption: true, describe: 'Long name' })
        .positional('words', { type: 'string', array: true, describe: 'Keys of the file: KEY=VALUE' })
        .option('disk', { type: 'string', requiresArg: true, describe: 'Create a disk image of that size, such as 8G' })
        .option('os', {
          type: 'string',
          requiresArg: true,
          describe: 'Start from the preset of that system: windows11, debian',
        })
        .option('output', { type: 'string', requiresArg: true, describe: 'Folder for the files' }) as Argv<object>,
    load: () => import('./create.ts'),
  },
  {
    command: 'import <file>',
    group: 'Configure',
    describe: 'Convert a machine in JSON to a cfg file',
    options: (parser) =>
      parser
        .positional('file', { type: 'string', demandOption: true, describe: 'JSON file' })
        .option('name', { type: 'string', requiresArg: true, describe: 'Long name, instead of the one in the file' })
        .option('output', { type: 'string', requiresArg: true, describe: 'Folder for the cfg file, or - for stdout' })
        .option('force', { type: 'boolean', describe: 'Overwrite an existing file' }) as Argv<object>,
    load: () => import('./import.ts'),
  },
  {
    command: 'console <id>',
    group: 'Guest',
    describe: 'Attach to the serial console; leave with Ctrl-]',
    options: one,
    load: () => import('./console.ts'),
  },
  {
    command: 'vnc <id>',
    group: 'Guest',
    describe: 'Show how to view the screen',
    options: one,
    load: () => import('./vnc.ts'),
  },
  {
    command: 'log [id]',
    group: 'Look',
    examples: [['web --console --follow', 'What the guest prints, as it appears']],
    describe: "Print QEMU's output, or the serial console's",
    options: (parser) =>
      parser
        .positional('id', { type: 'string', describe: 'Short or long name, or path of a cfg file' })
        .option('console', { type: 'boolean', describe: 'What the guest printed on its console' })
        .option('lines', { type: 'string', alias: 'n', requiresArg: true, describe: 'Print only the last N lines' })
        .option('follow', { type: 'boolean', alias: 'f', describe: 'Keep printing new lines until interrupted' })
        .option('trim', {
          type: 'boolean',
          describe: 'Print nothing: shorten all logs larger than 4 MiB',
        }) as Argv<object>,
    load: () => import('./log.ts'),
  },
  {
    command: 'enable [ids..]',
    group: 'Configure',
    describe: 'Start machines when the host boots',
    options: many,
    load: () => import('./enable.ts'),
  },
  {
    command: 'disable [ids..]',
    group: 'Configure',
    describe: 'Do not start machines when the host boots',
    options: many,
    load: () => import('./disable.ts'),
  },
  {
    command: 'doctor',
    group: 'Host',
    describe: 'Look for problems of this host that affect machines',
    load: () => import('./doctor.ts'),
  },
  {
    command: 'security [ids..]',
    group: 'Look',
    describe: 'Show what QEMU may do, and who has access to its files',
    options: many,
    load: () => import('./security.ts'),
  },
  {
    command: 'install',
    group: 'Host',
    describe: 'Install the tools, units and completions on this host',
    options: installing,
    load: () => import('./install.ts'),
  },
  {
    command: 'uninstall',
    group: 'Host',
    describe: 'Remove installed files, except those that were modified',
    options: (parser) =>
      installing(parser).option('stop', { type: 'boolean', describe: 'Stop running machines first' }) as Argv<object>,
    load: () => import('./uninstall.ts'),
  },
  {
    command: 'completion <shell>',
    group: 'Host',
    describe: 'Print the completion script of a shell',
    options: (parser) => parser.positional('shell', { choices: ['bash', 'zsh', 'fish'], describe: 'Which shell' }),
    load: () => import('./completion.ts'),
  },
  {
    command: 'qmp-types',
    group: 'Host',
    describe: "Print TypeScript types of QEMU's QMP commands and events",
    options: (parser) =>
      parser
        .option('binary', {
          type: 'string',
          requiresArg: true,
          default: 'qemu-system-x86_64',
          describe: 'QEMU program, name or path',
        })
        .option('output', { type: 'string', requiresArg: true, describe: 'File to write instead of stdout' }),
    load: () => import('./qmp-types.ts'),
  },
];

/** Actions planned for later versions. Calling one fails with `QEMU_NOT_IMPLEMENTED`. */
export const LATER: readonly string[] = [
  'screenshot',
  'sendkey',
  'snapshot',
  'backup',
  'save',
  'restore',
  'attach',
  'detach',
  'resize',
  'agent',
  'events',
];
