import type { Argv } from 'yargs';
import { EXPORT_FORMATS } from '../../../provision/export/format.ts';
import { IMPORT_FORMATS } from '../../../provision/import/format.ts';
import type { Action } from '../action.ts';
import { many, one } from '../parameters.ts';
import { CLONE, DELETE, RENAME } from './clone/action.ts';
import { CREATE } from './create/action.ts';
import { IMAGE } from './image/action.ts';

/** Actions of the group "Configure", in the order of the help text. */
export const CONFIGURE: readonly Action[] = [
  {
    command: 'register <name> [target]',
    settlesFirst: true,
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
    settlesFirst: true,
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
  CLONE,
  RENAME,
  DELETE,
  IMAGE,
  {
    command: 'import [files..]',
    settlesFirst: true,
    group: 'Configure',
    examples: [
      ['/etc/libvirt/qemu/web.xml', 'A machine of libvirt'],
      ['/etc/pve/qemu-server/*.conf --dry-run', 'All machines of Proxmox VE: what would become of them'],
      ['--pid 4711 --output -', 'The command line of a QEMU that runs, as a cfg file on stdout'],
    ],
    describe: 'Convert machines of other programs to cfg files',
    options: (parser) =>
      parser
        .positional('files', {
          type: 'string',
          array: true,
          describe: 'Definitions, or folders with them; - for stdin',
        })
        .option('format', {
          type: 'string',
          choices: IMPORT_FORMATS,
          requiresArg: true,
          describe: 'What the files are, instead of finding it out',
        })
        .option('pid', { type: 'string', requiresArg: true, describe: 'Process of a QEMU whose command line to read' })
        .option('name', { type: 'string', requiresArg: true, describe: 'Long name, instead of the one in the file' })
        .option('output', { type: 'string', requiresArg: true, describe: 'Folder for the cfg files, or - for stdout' })
        .option('storage', {
          type: 'string',
          array: true,
          requiresArg: true,
          describe: 'Where a storage of Proxmox VE is: NAME=PATH; may be repeated',
        })
        .option('copy-disks', { type: 'boolean', describe: 'Copy the disks next to the cfg file, as qcow2 images' })
        .option('force', { type: 'boolean', describe: 'Overwrite existing files' })
        .option('dry-run', { type: 'boolean', describe: 'Write nothing' }) as Argv<object>,
    load: () => import('./import.ts'),
  },
  {
    command: 'export <id>',
    group: 'Configure',
    examples: [['web --format libvirt > web.xml', 'For "virsh define"']],
    describe: 'Print a machine as another program defines it',
    options: (parser) =>
      one(parser).option('format', {
        type: 'string',
        choices: EXPORT_FORMATS,
        requiresArg: true,
        default: 'libvirt',
        describe: 'libvirt: XML of a domain; command: a script with the command line',
      }) as Argv<object>,
    load: () => import('./export.ts'),
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
