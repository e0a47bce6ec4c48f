import type { Argv } from 'yargs';
import type { Action } from '../action.ts';
import { installing } from '../parameters.ts';

/** Actions of the group "Host", in the order of the help text. */
export const HOST: readonly Action[] = [
  {
    command: 'doctor',
    group: 'Host',
    describe: 'Look for problems of this host that affect machines',
    load: () => import('./doctor.ts'),
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
