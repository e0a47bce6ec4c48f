import type { Argv } from 'yargs';
import type { Action } from '../action.ts';
import { many, one, seconds } from '../parameters.ts';

/** Actions of the group "Look", in the order of the help text. */
export const LOOK: readonly Action[] = [
  {
    command: 'status [ids..]',
    group: 'Look',
    describe: 'Show the status of machines',
    options: many,
    load: () => import('./status.ts'),
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
      many(parser)
        .option('try', {
          type: 'boolean',
          describe: 'Also let QEMU create each machine, without its disks and networks',
        })
        .option('cluster', {
          type: 'boolean',
          describe: 'Check as machines that a cluster runs, and compare its nodes',
        })
        .option('node', {
          type: 'string',
          array: true,
          nargs: 1,
          describe: 'With --cluster: compare with this one, ssh://[USER@]HOST, instead of the nodes of the cluster',
        })
        .option('local', { type: 'boolean', describe: 'With --cluster: compare with no other node' })
        .implies({ node: 'cluster', local: 'cluster' })
        .conflicts('node', 'local'),
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
    command: 'diff [ids..]',
    group: 'Look',
    describe: 'Show where running machines differ from their files, and what a reload would do',
    options: many,
    load: () => import('./diff.ts'),
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
    command: 'security [ids..]',
    group: 'Look',
    describe: 'Show what QEMU may do, and who has access to its files',
    options: many,
    load: () => import('./security.ts'),
  },
  {
    command: 'top [ids..]',
    group: 'Look',
    examples: [['--once --json', 'One look, for a program']],
    describe: 'Show what machines use, as it changes',
    options: (parser) =>
      many(parser).option('once', { type: 'boolean', describe: 'Print one look and end' }).option('interval', {
        type: 'string',
        requiresArg: true,
        coerce: seconds,
        default: '2',
        describe: 'Seconds between two looks',
      }) as Argv<object>,
    load: () => import('./top/top.ts'),
  },
  {
    command: 'metrics [ids..]',
    group: 'Look',
    examples: [['--textfile /var/lib/prometheus/node-exporter', 'For node_exporter']],
    describe: 'Print what machines use as metrics of Prometheus',
    options: (parser) =>
      many(parser).option('textfile', {
        type: 'string',
        requiresArg: true,
        describe: 'Write qemu.prom in that folder instead, at once or not at all',
      }) as Argv<object>,
    load: () => import('./metrics.ts'),
  },
  {
    command: 'events [ids..]',
    settlesFirst: true,
    group: 'Look',
    examples: [['--json', 'One JSON object a line']],
    describe: 'Print events of machines, and their starts and stops, until interrupted',
    options: many,
    load: () => import('./events.ts'),
  },
];
