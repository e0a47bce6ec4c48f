import { sizeText } from '../../../output/sizes.ts';
import type { Context } from '../../../run/context.ts';
import { parseBackupId } from './backup-id.ts';

interface Arguments {
  readonly dest: string;
  readonly id: string;
  readonly disk?: string;
  readonly socket?: string;
  readonly idle: number;
}

/** Serves one disk of a point until interrupted. */
export async function run(context: Context, { dest, id, disk, socket, idle }: Arguments): Promise<number> {
  const { output, signal } = context;
  await context.fleet().serveBackup(dest, parseBackupId(id), {
    disk: disk?.toUpperCase(),
    socket,
    signal,
    idleMs: idle === 0 ? undefined : idle * 1000,
    onConnections: (count) => output.note('info', `connections: ${count}`),
    onReady: (served) => {
      if (output.json) return output.document([served]);
      const { name, point, virtualSizeBytes, uri } = served;
      output.line(`${name}@${point}: ${served.disk} (${sizeText(virtualSizeBytes)}, read-only) is at ${uri}`);
      output.note('info', idle === 0 ? 'Ctrl-C ends it' : `Ctrl-C ends it, or ${idle} s without a connection`);
    },
  });
  return 0;
}
