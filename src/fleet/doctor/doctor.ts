import { formatIssue } from '../../config/issues.ts';
import type { Fleet } from '../fleet.ts';
import { limiter } from '../parallel.ts';
import type { Finding } from './finding.ts';
import { judgePrograms, judgeQemu, judgeSpace } from './host.ts';
import { judgeLogout } from './logout.ts';
import { judgeMachine } from './machines.ts';
import { judgeMemory } from './memory.ts';
import { examineNetwork } from './network.ts';
import { judgeRights } from './rights.ts';
import { judgeRunAs } from './run-as.ts';
import { judgeUnits } from './units.ts';

/** Machines that are looked at together: each has a process read its images. */
const AT_ONCE = 4;

/**
 * Looks at everything that machines need, without changing anything. The worst first; empty when all is well.
 *
 * @param source folder of the package, whose units are compared with those of the host.
 */
export async function examine(fleet: Fleet, source: string, signal: AbortSignal): Promise<Finding[]> {
  const { paths } = fleet.host;
  const targets = fleet.listWithRunning();
  const machines = targets.flatMap((target) => {
    const { config } = fleet.inspect(target);
    return config ? [{ target, config }] : [];
  });
  const configs = machines.map(({ config }) => config);
  const lane = limiter(AT_ONCE);
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
    ...judgeMemory(configs),
    ...judgeLogout(paths, targets),
    ...(await judgeUnits(
      machines.filter(({ target }) => target.shortName !== undefined),
      { paths, source },
      signal,
    )),
    ...(await examineNetwork(configs, paths, signal)),
    ...judgeRights(targets, paths),
    // What is an error is among what the check of the machine finds.
    ...(await judgeRunAs(configs, signal)).filter(({ severity }) => severity === 'warning'),
    ...(await Promise.all(targets.map((target) => lane(() => judgeMachine(fleet, target, signal))))).flat(),
    ...judgeSpace(configs, paths),
  ];
  return findings.toSorted((a, b) => Number(b.severity === 'error') - Number(a.severity === 'error'));
}
