import type { Problem } from '../../base/problem.ts';
import type { MachineConfig } from '../../config/types.ts';
import { issueAt } from '../../machine/check/issues.ts';
import type { Machines } from '../machines.ts';
import { macIssues } from '../macs.ts';

/** Fixed addresses that another machine has or asks for. */
export function addressIssues(
  machines: Machines,
  config: MachineConfig,
  others: ReadonlyMap<string, MachineConfig>,
): Problem[] {
  const leased = macIssues(machines.host.paths, config);
  const asked = [...others].flatMap(([other, theirs]) => {
    if (other === config.longName) return [];
    return config.nics.flatMap(({ index, mac }) => {
      const same = theirs.nics.find((each) => mac !== undefined && each.mac?.toUpperCase() === mac.toUpperCase());
      const key = `NIC${index}`;
      if (!same || leased.some((issue) => issue.key === key)) return [];
      const message = `${key} has the address ${mac} of NIC${same.index} of machine "${other}"`;
      return [issueAt(config, key, message, 'leave out mac= to get a derived, unique address')];
    });
  });
  return [...leased, ...asked];
}

/** Settings that two machines share without harm to data, but hardly on purpose. */
export function sharedIdentities(config: MachineConfig, others: ReadonlyMap<string, MachineConfig>): Problem[] {
  const display = fixedDisplay(config);
  return [...others].flatMap(([other, theirs]): Problem[] => {
    if (other === config.longName) return [];
    const issues: Problem[] = [];
    if (theirs.uuid === config.uuid) {
      const key = config.origins.has('UUID') ? 'UUID' : 'NAME';
      const message = `The UUID ${config.uuid} is that of machine "${other}" too`;
      issues.push({
        ...issueAt(config, key, message, 'give each machine its own NAME or UUID'),
        severity: 'warning',
      });
    }
    if (display !== undefined && fixedDisplay(theirs) === display) {
      const message = `VNC display ${display} is that of machine "${other}" too: only one of them can run`;
      issues.push({
        ...issueAt(config, 'VNC', message, 'leave out the display to use a free one'),
        severity: 'warning',
      });
    }
    return [...issues, ...sharedForwards(config, theirs)];
  });
}

/** A port of the host that two machines forward. */
function sharedForwards(config: MachineConfig, theirs: MachineConfig): Problem[] {
  const portsOf = ({ nics }: MachineConfig): Map<string, string> =>
    new Map(
      nics.flatMap(({ index, hostForwards }) =>
        hostForwards.map(({ protocol, hostAddress, hostPort }) => [
          `${protocol}:${hostAddress}:${hostPort}`,
          `NIC${index}`,
        ]),
      ),
    );
  const taken = portsOf(theirs);
  return [...portsOf(config)].flatMap(([port, key]) => {
    const their = taken.get(port);
    if (their === undefined) return [];
    const message = `${key} forwards ${port}, as ${their} of machine "${theirs.longName}" does: only one of them can run`;
    return [{ ...issueAt(config, key, message, 'use a different port of the host'), severity: 'warning' }];
  });
}

function fixedDisplay({ vnc }: MachineConfig): string | undefined {
  return vnc.kind === 'tcp' && vnc.display !== undefined ? `${vnc.host}:${vnc.display}` : undefined;
}
