import type { Argv } from 'yargs';

/** Options of every tool and action. */
export interface CommonArguments {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly debug?: boolean;
  readonly root?: string;
  readonly system?: boolean;
  readonly user?: boolean;
  readonly color?: boolean;
  /** Not through systemd. */
  readonly direct?: boolean;
}

/** How a command line wants its output, before it is parsed: mistakes in it are reported in that form, too. */
export function outputOptions(argv: readonly string[]): Pick<CommonArguments, 'json' | 'debug' | 'color'> {
  const end = argv.indexOf('--');
  const words = end < 0 ? argv : argv.slice(0, end);
  const has = (word: string): boolean => words.includes(word);
  const color = has('--no-color') ? { color: false } : has('--color') ? { color: true } : {};
  return { json: has('--json'), debug: has('--debug'), ...color };
}

export function addCommonOptions<T>(parser: Argv<T>): Argv<T> {
  return parser
    .option('json', { type: 'boolean', global: true, describe: 'Print one JSON document', group: 'Output:' })
    .option('quiet', { type: 'boolean', describe: 'Print errors only', group: 'Output:' })
    .option('verbose', { type: 'boolean', describe: 'Print each step of a start or stop', group: 'Output:' })
    .option('debug', {
      type: 'boolean',
      describe: 'Also print commands, QMP traffic and stack traces',
      group: 'Output:',
    })
    .option('color', {
      type: 'boolean',
      describe: 'Use colours even without a terminal (--no-color: never)',
      group: 'Output:',
    })
    .option('root', {
      type: 'string',
      requiresArg: true,
      describe: 'Use the folders below DIR (default: $QEMU_INIT_ROOT)',
      group: 'Scope:',
    })
    .option('system', { type: 'boolean', describe: 'Use the system-wide configuration (/etc/qemu)', group: 'Scope:' })
    .option('user', { type: 'boolean', describe: "Use the user's own configuration", group: 'Scope:' })
    .option('direct', { type: 'boolean', describe: 'Work without systemd, in this process', group: 'Scope:' })
    .conflicts('system', ['user'])
    .conflicts('root', ['system', 'user']);
}
