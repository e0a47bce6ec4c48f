import { formatIssue } from '../../../../config/text/issues.ts';
import type { Restored } from '../../../../fleet/restore/restored.ts';
import { showProgress } from '../../../output/progress.ts';
import { sizeText } from '../../../output/sizes.ts';
import type { Context } from '../../../run/context.ts';
import { parseBackupId } from './backup-id.ts';

interface Arguments {
  readonly dest: string;
  readonly id: string;
  readonly as?: string;
  readonly output?: string;
  readonly disk?: string;
  readonly fresh?: boolean;
}

/** Restores a machine, or one of its disks. */
export async function run(context: Context, args: Arguments): Promise<number> {
  const { output, signal } = context;
  const { as, fresh } = args;
  const id = parseBackupId(args.id);
  const disk = args.disk?.toUpperCase();
  const restored = await showProgress(output, as ?? id.name, (onProgress) =>
    context.fleet().restore(args.dest, id, { as, output: args.output, disk, fresh, signal, onProgress }),
  );
  const { name, shortName, point, outcome, configPath, disks, notes, issues } = restored;
  for (const note of notes) output.note('info', `${name}: ${note}`);
  // It is restored nevertheless: these problems only affect its start.
  for (const issue of issues) output.note(issue.severity, formatIssue(issue));
  if (output.json) output.document([{ name, shortName, point, outcome, configPath, disks, notes }]);
  else output.line(lineOf(restored));
  return 0;
}

function lineOf({ name, point, outcome, configPath, disks }: Restored): string {
  const images = disks.map(({ key, path, virtualSizeBytes }) => `${key} "${path}" (${sizeText(virtualSizeBytes)})`);
  const list = images.length === 0 ? '' : `: ${images.join(', ')}`;
  switch (outcome) {
    case 'created':
      return `${name}: created from ${point} as "${configPath}"${list}`;
    case 'replaced':
      return `${name}: restored from ${point}${list}`;
    case 'extracted':
      return `${name}@${point}${list}`;
    default:
      return outcome satisfies never;
  }
}
