import { QemuError } from '../../../base/errors.ts';
import { hasErrors } from '../../../base/problem.ts';
import { formatIssue } from '../../../config/text/issues.ts';
import { createMachine } from '../../../provision/create.ts';
import type { Context } from '../../run/context.ts';

interface Arguments {
  readonly name: string;
  readonly words?: readonly string[];
  readonly disk?: string;
  readonly os?: string;
  readonly output?: string;
}

export async function run(context: Context, args: Arguments): Promise<number> {
  const { output, signal } = context;
  const settings = (args.words ?? []).map((word) => {
    const [, key, value] = /^([A-Za-z0-9_]+)=(.*)$/s.exec(word) ?? [];
    if (key !== undefined && value !== undefined) return [key, value] as const;
    const hint = /^\d+[KMGT]i?B?$/i.test(word)
      ? `for a disk of that size: --disk ${word}; for memory: RAM=${word}`
      : undefined;
    throw new QemuError('QEMU_USAGE', `"${word}" is not KEY=VALUE`, { hint });
  });
  const { target, issues } = await createMachine(context.fleet(), args.name, {
    settings,
    diskSize: args.disk,
    os: args.os,
    dir: args.output,
    signal,
  });
  // The machine is created nevertheless: these problems only affect its start.
  for (const issue of issues) output.note(issue.severity, formatIssue(issue));
  const { longName, shortName, configPath } = target;
  if (output.json) output.document([{ name: longName, shortName, configPath, outcome: 'created' }]);
  else if (hasErrors(issues))
    output.line(`${longName}: created as "${configPath}"; the problems above keep it from starting`);
  else output.line(`${longName}: created as "${configPath}"; start it: qemu-init start ${longName}`);
  return 0;
}
