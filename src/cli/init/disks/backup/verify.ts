import type { VerifiedPoint } from '../../../../machine/backup/verify.ts';
import { showProgress } from '../../../output/progress.ts';
import type { Context } from '../../../run/context.ts';
import { parseBackupId } from './backup-id.ts';

interface Arguments {
  readonly dest: string;
  readonly id?: string;
}

/** Verifies points. Exit status 1 when any of them is of no use. */
export async function run(context: Context, args: Arguments): Promise<number> {
  const { output, signal } = context;
  const backups = context.fleet().backups(args.dest);
  const id = args.id === undefined ? undefined : parseBackupId(args.id);
  const found = await showProgress(output, id?.name ?? backups.dest, (onProgress) =>
    backups.verify(id, { signal, onProgress }),
  );
  if (output.json) output.document(found);
  else if (found.length === 0) output.note('info', `no backup in "${backups.dest}"`);
  else for (const each of found) show(context, each);
  return found.every(({ outcome }) => outcome === 'ok') ? 0 : 1;
}

function show({ output }: Context, { name, point, outcome, problems, dependents }: VerifiedPoint): void {
  const isRoot = outcome === 'damaged' && dependents.length > 0;
  output.line(`${name}@${point}: ${outcome}${isRoot ? `; ${dependents.join(', ')} rest on it` : ''}`);
  for (const problem of problems) output.note('error', `${name}@${point}: ${problem}`);
}
