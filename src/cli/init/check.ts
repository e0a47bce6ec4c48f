import { formatIssue } from '../../config/issues.ts';
import { ConfigError, type ConfigIssue } from '../../errors.ts';
import { checkMachine, readableConfigs } from '../../fleet/check.ts';
import type { Context } from '../context.ts';
import { exitCodeOf } from '../exit-code.ts';
import { present } from '../many.ts';
import { issueDocument } from '../report.ts';
import { type SelectionArguments, select } from '../selection.ts';

export async function run(context: Context, args: SelectionArguments): Promise<number> {
  const { output } = context;
  const fleet = context.fleet();
  const everything = args.all === true || (args.ids ?? []).length === 0;
  const selection = select(context, { ...args, all: everything }, () => fleet.list());
  const registry = everything ? fleet.registryIssues.filter(({ severity }) => severity === 'warning') : [];
  const others = readableConfigs(fleet);
  const outcomes = await fleet.each(selection.targets, 1, (target) => checkMachine(fleet, target, others));
  const found = [...registry, ...outcomes.flatMap((outcome) => (outcome.ok ? outcome.value : []))];
  const shown = new Set<string>();
  for (const issue of found) {
    const text = formatIssue(issue);
    // The host's own files concern every machine, and are told of once.
    if (!shown.has(text)) output.note(issue.severity, text);
    shown.add(text);
  }
  return present<ConfigIssue[]>(context, selection, outcomes, {
    text: (name, issues) => (codeOf(issues) === 0 ? `${name}: good` : undefined),
    json: (issues) => ({ ok: codeOf(issues) === 0, problems: issues.map(issueDocument) }),
    failed: () => ({ ok: false }),
    code: codeOf,
  });
}

function codeOf(issues: readonly ConfigIssue[]): number {
  const isGood = !issues.some(({ severity }) => severity === 'error');
  return isGood ? 0 : exitCodeOf(new ConfigError('', issues));
}
