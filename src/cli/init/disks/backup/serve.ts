import { sizeText } from '../../../output/sizes.ts';
import type { Context } from '../../../run/context.ts';
import { parseBackupId } from './backup-id.ts';

interface Arguments {
  readonly dest: string;
  readonly id: string;
  readonly disk?: string;
  readonly socket?: string;
}

/** Serves one disk of a point until interrupted. */
export async function run(context: Context, { dest, id, disk, socket }: Arguments): Promise<number> {
  const { output, signal } = context;
  await context.fleet().serveBackup(dest, parseBackupId(id), {
    disk: disk?.toUpperCase(),
    socket,
    signal,
    onReady: (served) => {
      if (output.json) return output.document([served]);
      const { name, point, virtualSizeBytes, uri } = served;
      output.line(`${name}@${point}: ${served.disk} (${sizeText(virtualSizeBytes)}, read-only) is at ${uri}`);
      output.note('info', 'Ctrl-C ends it');
    },
  });
  return 0;
}
