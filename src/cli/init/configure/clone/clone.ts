import { hasErrors } from '../../../../base/problem.ts';
import { formatIssue } from '../../../../config/text/issues.ts';
import { showProgress } from '../../../output/progress.ts';
import type { Context } from '../../../run/context.ts';

interface Arguments {
  readonly id: string;
  readonly new: string;
  readonly linked?: boolean;
  readonly snapshot?: string;
  readonly output?: string;
}

export async function run(context: Context, args: Arguments): Promise<number> {
  const { output, signal } = context;
  const fleet = context.fleet();
  const source = fleet.get(args.id);
  const { linked, snapshot, output: dir } = args;
  const result = await showProgress(output, args.new, (onProgress) =>
    fleet.clone(source, args.new, { linked, snapshot, dir, signal, onProgress }),
  );
  const { target, issues, wasRunning, quiesced, ports } = result;
  for (const issue of issues) output.note(issue.severity, formatIssue(issue));
  for (const [old, port] of ports)
    output.note('info', `port ${port} of this host leads to it, as ${old} to ${source.longName}`);
  const { longName, shortName, configPath } = target;
  if (fleet.inspect(target).config?.cloudInit === undefined) {
    output.note('info', 'inside, it still has the host name, host keys and machine-id of its source');
  }
  if (output.json) {
    const rest = { source: source.longName, wasRunning, quiesced };
    output.document([{ name: longName, shortName, configPath, outcome: 'cloned', ...rest }]);
    return 0;
  }
  const how = wasRunning
    ? ` from the running ${source.longName}${quiesced ? ', with its file systems frozen' : ''}`
    : '';
  const end = hasErrors(issues) ? 'the problems above keep it from starting' : `start it: qemu-init start ${longName}`;
  output.line(`${longName}: cloned as "${configPath}"${how}; ${end}`);
  return 0;
}
