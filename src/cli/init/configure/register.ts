import { formatIssue } from '../../../config/text/issues.ts';
import type { Context } from '../../run/context.ts';

export async function run(
  context: Context,
  args: { readonly name: string; readonly target?: string },
): Promise<number> {
  const { output } = context;
  const { target, outcome, issues } = await context.fleet().register(args.name, args.target);
  for (const issue of issues) output.note(issue.severity, formatIssue(issue));
  if (output.json) {
    const { longName, shortName, configPath } = target;
    output.document([{ name: longName, shortName, configPath, outcome }]);
  } else {
    const what = outcome === 'unchanged' ? 'unchanged, already registered as' : 'registered as';
    output.line(`${target.longName}: ${what} "${target.shortName}" (${target.configPath})`);
  }
  return 0;
}
