import { QemuError } from '../../../../base/errors.ts';
import { shellCommand } from '../../../../config/text/shell-words.ts';
import { showProgress } from '../../../output/progress.ts';
import type { Context } from '../../../run/context.ts';
import { parseBackupId } from './backup-id.ts';

interface Arguments {
  readonly dest: string;
  readonly id: string;
}

/** Deletes one point. */
export async function run(context: Context, args: Arguments): Promise<number> {
  const { output, signal } = context;
  const { name, point } = parseBackupId(args.id);
  if (point === undefined) {
    throw new QemuError('QEMU_USAGE', `"${args.id}" does not name a point`, {
      hint: `one point at a time: ${args.id}@POINT; see: ${shellCommand('qemu-init', 'backup', 'list', args.dest)}`,
    });
  }
  const removed = await showProgress(output, args.id, (onProgress) =>
    context.fleet().backups(args.dest).delete({ name, point }, { signal, onProgress }),
  );
  const { mergedInto } = removed;
  if (output.json) output.document([{ name: removed.name, point, outcome: 'deleted', mergedInto }]);
  else {
    output.line(`${removed.name}@${point}: deleted${mergedInto === undefined ? '' : ` (merged into ${mergedInto})`}`);
  }
  return 0;
}
