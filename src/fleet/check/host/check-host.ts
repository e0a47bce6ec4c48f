import type { Problem } from '../../../base/problem.ts';
import { formatIssue } from '../../../config/text/issues.ts';
import type { Machines } from '../../machines.ts';
import { namelessProblems } from '../../nameless-work.ts';
import { limiter } from '../../schedule/run-in-order.ts';
import { checkPrograms, checkQemu, checkSession, checkSpace } from './host-facts.ts';
import { checkLogout } from './logout.ts';
import { checkMachineFindings } from './machine-findings.ts';
import { checkMemory } from './memory.ts';
import { checkNetwork } from './network-findings.ts';
import { checkRights } from './rights.ts';
import { checkRunAs } from './run-as.ts';
import { checkUnits } from './units.ts';

/** Machines that are looked at together: each has a process read its images. */
const AT_ONCE = 4;

/**
 * Checks everything that machines need, without changing anything. Errors first; empty if there is no problem.
 *
 * @param source folder of the package, whose units are compared with those of the host.
 */
export async function checkHost(machines: Machines, source: string, signal: AbortSignal): Promise<Problem[]> {
  const { paths } = machines.host;
  const targets = machines.listWithRunning();
  const readable = machines.configs(targets);
  const configs = [...readable.values()];
  const registered = targets.flatMap((target) => {
    const config = target.shortName === undefined ? undefined : readable.get(target.longName);
    return config === undefined ? [] : [{ target, config }];
  });
  const lane = limiter(AT_ONCE);
  const findings = [
    ...machines.registryIssues.map((issue): Problem => {
      const hint = issue.hint ?? 'qemu-init edit';
      return {
        severity: issue.severity,
        machine: undefined,
        message: 'Mistake in the registry',
        detail: formatIssue(issue),
        hint,
      };
    }),
    ...(await checkQemu(configs, paths, signal)),
    ...checkSession(paths),
    ...checkPrograms(configs),
    ...checkMemory(configs),
    ...checkLogout(paths, targets),
    ...(await checkUnits(registered, { paths, source }, signal)),
    ...(await checkNetwork(configs, paths, signal)),
    ...checkRights(targets, paths),
    ...namelessProblems(machines.host, machines.registeredNames()),
    // The check of the machine reports the errors.
    ...(await checkRunAs(paths, configs, signal)).filter(({ severity }) => severity === 'warning'),
    ...(
      await Promise.all(targets.map((target) => lane(() => checkMachineFindings(machines, target, readable, signal))))
    ).flat(),
    ...checkSpace(configs, paths),
  ];
  return findings.toSorted((a, b) => Number(b.severity === 'error') - Number(a.severity === 'error'));
}
