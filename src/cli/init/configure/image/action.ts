import type { Argv } from 'yargs';
import type { Action } from '../../action.ts';

const named = (parser: Argv<object>): Argv<object> =>
  parser.positional('names', { type: 'string', array: true, describe: 'Names of images, as listed' }) as Argv<object>;

/** Images that are kept for new machines. */
export const IMAGE: Action = {
  command: 'image',
  group: 'Configure',
  describe: 'Fetch, list, verify and remove images for new machines',
  verbs: [
    {
      command: 'list',
      settlesFirst: true,
      describe: 'List the images, and which machines use them',
      load: () => import('./list.ts'),
    },
    {
      command: 'pull <url>',
      settlesFirst: true,
      describe: 'Fetch an image by https, unless it is there and unchanged',
      options: (parser) =>
        parser
          .positional('url', { type: 'string', demandOption: true, describe: 'Address, also with #sha256=HASH' })
          .option('sha256', { type: 'string', requiresArg: true, describe: 'Hash that it must have' }) as Argv<object>,
      examples: [['https://cloud.example/debian-12.qcow2#sha256=…', 'Fetches it and compares the hash']],
      load: () => import('./pull.ts'),
    },
    {
      command: 'verify [names..]',
      settlesFirst: true,
      describe: 'Compare images with what was fetched (default: all)',
      options: named,
      load: () => import('./verify.ts'),
    },
    {
      command: 'remove <names..>',
      settlesFirst: true,
      describe: 'Remove images that no machine uses',
      options: named,
      load: () => import('./remove.ts'),
    },
  ],
};
