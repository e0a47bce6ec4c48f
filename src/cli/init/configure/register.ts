import { formatIssue } from '../../../config/text/issues.ts';
import { registerMachine } from '../../../fleet/register.ts';
import type { Context } from '../../run/context.ts';

export async function run(
  context: Context,
  args: { readonly name: string; readonly target?: string },
): Promise<number> {
  const { output } = context;
  const fleet = context.fleet();
  const { target, outcome, issues } = await registerMachine(fleet, args.name, args.target, process.cwd());
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
