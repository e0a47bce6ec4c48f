import type { Argv } from 'yargs';
import type { Action } from '../action.ts';
import { installing, seconds } from '../parameters.ts';

/** Actions of the group "Host", in the order of the help text. */
export const HOST: readonly Action[] = [
  {
    command: 'doctor',
    settlesFirst: true,
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
  {
    command: 'web',
    settlesFirst: true,
    group: 'Host',
    examples: [
      ['--allow-control', 'With buttons to start and stop, and the keyboard'],
      ['--listen unix:/run/qemu-init/web.sock', 'For a tunnel: ssh -L 8780:/run/qemu-init/web.sock HOST'],
    ],
    describe: 'Show machines, their screens and consoles in a browser on this host',
    options: (parser) =>
      parser
        .option('listen', {
          type: 'string',
          requiresArg: true,
          describe: '127.0.0.1:PORT (8780), [::1]:PORT or unix:PATH',
        })
        .option('allow-control', { type: 'boolean', describe: 'The page may start, stop and type' })
        .option('read-only', {
          type: 'boolean',
          describe: 'The page may only look, also on a host with qemu-web-control.socket',
        })
        .option('idle', {
          type: 'string',
          requiresArg: true,
          coerce: seconds,
          default: '0',
          describe: 'End after so many seconds without a page; 0: never',
        })
        .option('name', {
          type: 'string',
          requiresArg: true,
          describe: 'Name of a reverse proxy in front of it; several with commas',
        })
        .option('trust-header', {
          type: 'string',
          requiresArg: true,
          describe: 'Header in which the proxy names its user, such as X-Remote-User; only on a socket',
        })
        .option('control-user', {
          type: 'string',
          requiresArg: true,
          describe: 'User of the proxy for whom the page may start, stop and type; several with commas',
        })
        .option('link', { type: 'boolean', describe: 'Print the link to the page that is being served' })
        .option('new-link', { type: 'boolean', describe: 'Make the links of earlier servers invalid' })
        .conflicts('read-only', ['allow-control', 'control-user']),
    load: () => import('./web.ts'),
  },
];
