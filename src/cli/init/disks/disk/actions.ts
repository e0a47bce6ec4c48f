import type { Action } from '../../action.ts';
import { many } from '../../parameters.ts';

/** `disk` and its verbs. */
export const DISK: Action = {
  command: 'disk',
  group: 'Disks',
  describe: 'Look at disks, and change them',
  verbs: [
    {
      command: 'list [ids..]',
      describe: 'List disks with their sizes and images (default: of all machines)',
      options: many,
      examples: [['web', 'Each image of each disk, its bitmaps and snapshots']],
      load: () => import('./list.ts'),
    },
  ],
};
