import { formatIssue } from '../../config/issues.ts';
import type { Fleet } from '../fleet.ts';
import type { Finding } from './finding.ts';
import { judgePrograms, judgeQemu, judgeSpace } from './host.ts';
import { judgeMachine } from './machines.ts';
import { judgeUnits } from './units.ts';

/** Looks at everything that machines need, without changing anything. The worst first; empty when all is well. */
export async function examine(fleet: Fleet, signal: AbortSignal): Promise<Finding[]> {
  const { paths } = fleet.host;
  const targets = fleet.listWithRunning();
  const configs = targets.flatMap((target) => fleet.inspect(target).config ?? []);
  const registered = new Set(fleet.list().map(({ longName }) => longName));
  const findings = [
    ...fleet.registryIssues.map((issue): Finding => {
      const fix = issue.hint ?? 'qemu-init edit';
      return {
        severity: issue.severity,
        machine: undefined,
        title: 'Mistake in the registry',
        detail: formatIssue(issue),
        fix,
      };
    }),
    ...(await judgeQemu(configs, paths, signal)),
    ...judgePrograms(configs),
    ...(await judgeUnits(
      configs.filter(({ longName }) => registered.has(longName)),
      paths,
      signal,
    )),
    ...(await Promise.all(targets.map((target) => judgeMachine(fleet, target)))).flat(),
    ...judgeSpace(configs, paths),
  ];
  return findings.toSorted((a, b) => Number(b.severity === 'error') - Number(a.severity === 'error'));
}
