import { inspectSecurity, type SecurityReport } from '../../../fleet/check/security.ts';
import type { Context } from '../../run/context.ts';
import { present } from '../../shared/many.ts';
import { type SelectionArguments, select } from '../../shared/selection.ts';

export async function run(context: Context, args: SelectionArguments): Promise<number> {
  const fleet = context.fleet();
  const selection = select(context, args, () => fleet.listWithRunning().filter((target) => fleet.isAlive(target)));
  const outcomes = await fleet.each(selection.targets, 1, async (target) => inspectSecurity(fleet.machines, target));
  return present<SecurityReport>(context, selection, outcomes, { text: describe, json: (report) => report });
}

const CLOSED = {
  system: 'writing to the system',
  homes: 'home folders',
  temporary: 'temporary files of others',
  processes: 'processes of others',
} as const;

function describe(name: string, report: SecurityReport): string {
  const list = (words: readonly string[]): string => words.join(', ') || 'none';
  const listening = report.listening.map(({ address, port }) => `${address}:${port}`);
  return [
    `${name}: pid ${report.pid}`,
    `  user            ${report.user}`,
    `  groups          ${list(report.groups)}`,
    `  capabilities    ${list(report.capabilities)}`,
    `  new privileges  ${report.noNewPrivileges ? 'never' : 'possible'}`,
    `  seccomp         ${report.seccomp}`,
    `  own namespaces  ${list(report.namespaces)}`,
    `  closed to it    ${list(report.closed.map((each) => CLOSED[each]))}`,
    `  listening       ${list(listening)}`,
    ...report.files.map(
      ({ path, owner, mode, readableBy }) => `  ${mode} ${owner.padEnd(10)} ${path} (readable by ${readableBy})`,
    ),
    ...report.advice.map((each) => `  advice: ${each}`),
  ].join('\n');
}
