import type { Argv } from 'yargs';
import type { Action } from '../action.ts';
import { one, releasing, seconds } from '../parameters.ts';
import { AGENT_COMMANDS } from './agent/commands.ts';

const exchanging = (parser: Argv<object>): Argv<object> =>
  parser
    .option('force', { type: 'boolean', describe: 'Also when the guest has locked the tray' })
    .option('persist', { type: 'boolean', describe: 'Also change its file' })
    .option('timeout', {
      type: 'string',
      requiresArg: true,
      coerce: seconds,
      describe: 'Seconds that the guest has to open a locked tray (default: 10)',
    }) as Argv<object>;

const holding = (parser: Argv<object>): Argv<object> =>
  parser.option('hold', {
    type: 'string',
    requiresArg: true,
    coerce: milliseconds,
    describe: 'Milliseconds for which each key is held down',
  }) as Argv<object>;

function milliseconds(text: string): number {
  if (!/^[1-9]\d{0,4}$/.test(text)) throw new Error(`--hold must be a number of milliseconds, not "${text}"`);
  return Number(text);
}

/** Actions of the group "Guest", in the order of the help text. */
export const GUEST: readonly Action[] = [
  {
    command: 'attach <id> <devices..>',
    group: 'Guest',
    examples: [
      ['web DSK2=data.qcow2', 'A disk, until the machine stops'],
      ['web NIC2=virtio,bridge=br1 --persist', 'A network card, also at later starts'],
    ],
    describe: 'Plug devices into a running machine',
    options: (parser) =>
      releasing(one(parser))
        .positional('devices', { type: 'string', array: true, demandOption: true, describe: 'As in its file' })
        .option('persist', { type: 'boolean', describe: 'Also write them into its file' }) as Argv<object>,
    load: async () => ({ run: (await import('./attachment.ts')).attach }),
  },
  {
    command: 'detach <id> <keys..>',
    group: 'Guest',
    examples: [['web DSK2', 'Unmount it in the guest first']],
    describe: 'Unplug devices of a running machine',
    options: (parser) =>
      releasing(one(parser))
        .positional('keys', { type: 'string', array: true, demandOption: true, describe: 'Such as DSK2' })
        .option('persist', { type: 'boolean', describe: 'Also remove them from its file' }) as Argv<object>,
    load: async () => ({ run: (await import('./attachment.ts')).detach }),
  },
  {
    command: 'insert <id> <drive> <file>',
    group: 'Guest',
    describe: 'Put a disc into a CD-ROM drive',
    options: (parser) =>
      exchanging(one(parser))
        .positional('drive', { type: 'string', demandOption: true, describe: 'CDR1, CDR2 …' })
        .positional('file', { type: 'string', demandOption: true, describe: 'ISO file' }) as Argv<object>,
    examples: [['web CDR1 tools.iso', 'Until the machine stops; always: --persist']],
    load: async () => ({ run: (await import('./devices/disc.ts')).insert }),
  },
  {
    command: 'eject <id> <drive>',
    group: 'Guest',
    describe: 'Take the disc out of a CD-ROM drive',
    options: (parser) =>
      exchanging(one(parser)).positional('drive', {
        type: 'string',
        demandOption: true,
        describe: 'CDR1, CDR2 …',
      }) as Argv<object>,
    load: async () => ({ run: (await import('./devices/disc.ts')).eject }),
  },
  {
    command: 'nic',
    group: 'Guest',
    describe: 'Handle network cards',
    verbs: [
      {
        command: 'link <id> <nic> <state>',
        describe: 'Pull the cable of a network card, or plug it in',
        options: (parser) =>
          one(parser)
            .positional('nic', { type: 'string', demandOption: true, describe: 'NIC1, NIC2 …' })
            .positional('state', { type: 'string', demandOption: true, describe: 'up or down' }) as Argv<object>,
        examples: [['web NIC1 down', 'The guest sees it as if the cable were pulled']],
        load: () => import('./devices/nic-link.ts'),
      },
    ],
  },
  {
    command: 'balloon <id> [size]',
    group: 'Guest',
    describe: 'Show how much memory the guest has, or change it',
    options: (parser) =>
      one(parser)
        .positional('size', { type: 'string', describe: 'Such as 512M or 2G, at most RAM' })
        .option('timeout', {
          type: 'string',
          requiresArg: true,
          coerce: seconds,
          describe: 'Seconds to wait for the guest (default: 30)',
        }) as Argv<object>,
    load: () => import('./devices/balloon.ts'),
  },
  {
    command: 'console <id>',
    group: 'Guest',
    describe: 'Attach to the serial console; leave with Ctrl-]',
    options: (parser) =>
      one(parser)
        .option('read-only', { type: 'boolean', describe: 'Only watch; any number of users can' })
        .option('lines', {
          type: 'string',
          alias: 'n',
          requiresArg: true,
          describe: 'Begin with the last N lines (default: a screen of them on a terminal)',
        }) as Argv<object>,
    load: () => import('./console.ts'),
  },
  {
    command: 'vnc <id>',
    group: 'Guest',
    describe: 'Show how to view the screen',
    options: (parser) =>
      one(parser).option('open', {
        type: 'boolean',
        describe: 'Open a viewer, and wait until it is closed',
      }) as Argv<object>,
    load: () => import('./screen/vnc.ts'),
  },
  {
    command: 'screenshot <id> [file]',
    group: 'Guest',
    describe: 'Take a picture of the screen',
    options: (parser) =>
      one(parser)
        .positional('file', {
          type: 'string',
          describe: 'PNG, or PPM by its name; - for standard output (default: NAME-DATE-TIME.png)',
        })
        .option('head', { type: 'string', requiresArg: true, describe: 'Number of the head, from 0' }) as Argv<object>,
    examples: [['web - >web.png', 'To standard output']],
    load: () => import('./screen/screenshot.ts'),
  },
  {
    command: 'sendkey <id> <keys..>',
    group: 'Guest',
    describe: 'Press keys on the keyboard of the guest',
    options: (parser) =>
      holding(one(parser)).positional('keys', {
        type: 'string',
        array: true,
        demandOption: true,
        describe: 'Names of keys, those of one combination joined by -: ctrl-alt-delete',
      }) as Argv<object>,
    examples: [['web ctrl-alt-f2', 'Another virtual console']],
    load: () => import('./screen/sendkey.ts'),
  },
  {
    command: 'type <id> <text>',
    group: 'Guest',
    describe: 'Type a text on the keyboard of the guest',
    options: (parser) =>
      holding(one(parser))
        .positional('text', { type: 'string', demandOption: true, describe: 'The text; - for standard input' })
        .option('enter', { type: 'boolean', describe: 'Press Enter after it' })
        .option('layout', {
          type: 'string',
          requiresArg: true,
          describe: 'Keyboard layout of the guest: en-us, en-gb, de, fr (default: KEYMAP, or en-us)',
        }) as Argv<object>,
    load: () => import('./screen/type.ts'),
  },
  {
    command: 'dump <id> <file>',
    group: 'Guest',
    describe: 'Write the memory of the guest to a file, for a debugger',
    options: (parser) =>
      one(parser).positional('file', { type: 'string', demandOption: true, describe: 'ELF core' }) as Argv<object>,
    load: () => import('./dump.ts'),
  },
  {
    command: 'agent <id> <command> [words..]',
    group: 'Guest',
    describe: 'Talk to the agent in the guest',
    commands: AGENT_COMMANDS,
    takesProgram: true,
    options: (parser) =>
      one(parser)
        .positional('command', { type: 'string', demandOption: true, describe: 'What to ask it for, see below' })
        .positional('words', { type: 'string', array: true, describe: 'What the command needs' })
        .option('stdin', { type: 'boolean', describe: 'exec: pass on standard input' })
        .option('timeout', {
          type: 'string',
          requiresArg: true,
          coerce: seconds,
          describe: 'exec: seconds to wait for the program, which is not ended by it (default: no limit)',
        })
        .option('crypted', { type: 'boolean', describe: 'passwd: it is a hash, as in shadow(5)' }) as Argv<object>,
    examples: [
      ['web exec -- ls -l /', 'Output and exit status of a program in the guest'],
      ['web get /etc/hosts hosts', 'A copy of a file of the guest'],
    ],
    load: () => import('./agent/agent.ts'),
  },
];
