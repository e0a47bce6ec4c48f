import type { Argv } from 'yargs';
import type { Action } from '../action.ts';
import { many, one } from '../parameters.ts';
import { CREATE } from './create/action.ts';
import { IMAGE } from './image/action.ts';

/** Actions of the group "Configure", in the order of the help text. */
export const CONFIGURE: readonly Action[] = [
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
  CREATE,
  IMAGE,
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
];
