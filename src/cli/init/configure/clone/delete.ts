import { QemuError } from '../../../../base/errors.ts';
import type { DeletedFile } from '../../../../provision/delete/delete-plan.ts';
import { ask } from '../../../input/ask.ts';
import type { Context } from '../../../run/context.ts';

interface Arguments {
  readonly id: string;
  readonly keepDisks?: boolean;
  readonly yes?: boolean;
  readonly dryRun?: boolean;
}

export async function run(context: Context, args: Arguments): Promise<number> {
  const { output, signal } = context;
  const { keepDisks } = args;
  const fleet = context.fleet();
  const target = fleet.get(args.id);
  const { longName } = target;
  const plan = await fleet.planDeletion(target, { keepDisks });
  const document = (outcome: string, files: readonly DeletedFile[]): object[] => [
    { name: longName, outcome, files: files.map(({ path, kind, kept }) => ({ path, kind, kept })) },
  ];
  if (args.dryRun) {
    if (output.json) output.document(document('planned', plan));
    else for (const file of plan) output.line(lineOf(file));
    return 0;
  }
  if (!args.yes && !(await isConfirmed(context, longName, plan))) {
    output.note('info', 'nothing was deleted');
    return 1;
  }
  if (args.yes && plan.some(({ kind }) => kind === 'saved')) {
    output.note('warning', `${longName}: the saved state of its guest is deleted too`);
  }
  const files = await fleet.delete(target, { keepDisks, signal });
  if (output.json) output.document(document('deleted', files));
  else {
    for (const file of files.filter(({ kept }) => kept !== undefined)) output.line(lineOf(file));
    output.line(`${longName}: deleted`);
  }
  return 0;
}

function lineOf({ path, kind, kept }: DeletedFile): string {
  return kept === undefined ? `delete ${path} (${kind})` : `keep ${path} (${kind}): ${kept}`;
}

async function isConfirmed(
  { output, signal }: Context,
  longName: string,
  plan: readonly DeletedFile[],
): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new QemuError('QEMU_USAGE', `Deleting "${longName}" needs a confirmation`, {
      hint: 'without a terminal: --yes; to see what would go: --dry-run',
    });
  }
  for (const file of plan) output.note('warning', lineOf(file));
  const answer = await ask(`Delete machine ${longName}? Its disks cannot be brought back. [y/N] `, signal);
  return /^y(?:es)?$/i.test(answer);
}
