import { ConfigError } from '../../../base/config-error.ts';
import type { Problem } from '../../../base/problem.ts';
import { formatIssue } from '../../../config/text/issues.ts';
import { type ListedImage, listImages } from '../../../fleet/image-list.ts';
import type { Outcome } from '../../../fleet/schedule/outcome.ts';
import { issueDocument } from '../../output/report.ts';
import type { Context } from '../../run/context.ts';
import { exitCodeOf } from '../../run/exit-code.ts';
import { present } from '../../shared/many.ts';
import { type SelectionArguments, select } from '../../shared/selection.ts';
import { imageLines } from './image-lines.ts';

interface Arguments extends SelectionArguments {
  readonly try?: boolean;
  readonly cluster?: boolean;
  readonly node?: readonly string[];
  readonly local?: boolean;
}

interface Checked {
  readonly issues: readonly Problem[];
  readonly images: readonly ListedImage[];
}

export async function run(context: Context, args: Arguments): Promise<number> {
  const { output } = context;
  const fleet = context.fleet();
  const everything = args.all === true || (args.ids ?? []).length === 0;
  const selection = select(context, { ...args, all: everything }, () => fleet.list());
  const registry = everything ? fleet.registryIssues.filter(({ severity }) => severity === 'warning') : [];
  const checked = await fleet.checkMany(selection.targets, {
    tryStart: args.try ? 'always' : 'when needed',
    cluster: args.cluster,
  });
  const isCompared = args.cluster === true && args.local !== true;
  const compared = isCompared
    ? await fleet.compareNodes(selection.targets, { places: args.node, signal: context.signal })
    : new Map<string, readonly Problem[]>();
  const outcomes = checked.map((outcome): Outcome<Checked> => {
    if (!outcome.ok) return outcome;
    const { draft } = fleet.inspect(outcome.target);
    return {
      ...outcome,
      value: {
        issues: [...outcome.value, ...(compared.get(outcome.target.longName) ?? [])],
        images: draft ? listImages(context.paths, draft) : [],
      },
    };
  });
  const found = [...registry, ...outcomes.flatMap((outcome) => (outcome.ok ? outcome.value.issues : []))];
  const shown = new Set<string>();
  for (const issue of found) {
    const text = formatIssue(issue);
    // The host's own files concern every machine, and are reported once.
    if (!shown.has(text)) output.note(issue.severity, text);
    shown.add(text);
  }
  return present<Checked>(context, selection, outcomes, {
    text: (name, { issues, images }) => {
      const lines = imageLines(images).map((line) => `  ${line}`);
      const heading = codeOf(issues) === 0 ? `${name}: good` : lines.length > 0 && `${name}:`;
      return heading === false ? undefined : [heading, ...lines].join('\n');
    },
    json: ({ issues, images }) => ({ ok: codeOf(issues) === 0, problems: issues.map(issueDocument), images }),
    failed: () => ({ ok: false }),
    code: ({ issues }) => codeOf(issues),
  });
}

function codeOf(issues: readonly Problem[]): number {
  const isGood = !issues.some(({ severity }) => severity === 'error');
  return isGood ? 0 : exitCodeOf(new ConfigError('', issues));
}
