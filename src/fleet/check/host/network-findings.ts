import type { Problem } from '../../../base/problem.ts';
import type { MachineConfig } from '../../../config/types.ts';
import { checkNetworkFindings, networkObstacles } from '../../../network/check/check-network.ts';
import { type CheckedNic, readNetworkFacts } from '../../../network/check/network-facts.ts';
import { parseLeases } from '../../../network/mac/mac-leases.ts';
import { previewMacs } from '../../../network/mac/mac-preview.ts';
import { tapName } from '../../../network/taps/tap-names.ts';
import { readTextIfExists } from '../../../system/files/files.ts';
import type { Paths } from '../../../system/paths.ts';

/** Problems of these machines' networks: devices, rights, bridges, firewall, names, leftovers. */
export async function checkNetwork(
  configs: readonly MachineConfig[],
  paths: Paths,
  signal: AbortSignal,
): Promise<Problem[]> {
  const nics = checkedNics(configs, paths);
  const findings = checkNetworkFindings(nics, await readNetworkFacts(nics, paths.tapsDir, signal));
  return findings.map((finding) => ({ ...finding, machine: undefined }));
}

/** What would prevent a machine from being connected, were it started now. */
export async function nicProblems(
  config: MachineConfig,
  paths: Paths,
  signal: AbortSignal | undefined,
): Promise<Problem[]> {
  if (config.nics.length === 0) return [];
  const nics = checkedNics([config], paths);
  return networkObstacles(nics, await readNetworkFacts(nics, paths.tapsDir, signal));
}

function checkedNics(configs: readonly MachineConfig[], paths: Paths): CheckedNic[] {
  const table = parseLeases(readTextIfExists(paths.leasesFile));
  const requests = configs.map(({ longName, name, os, nics }) => ({ machine: longName, name, os, nics }));
  const macs = previewMacs(table, requests);
  const nics = configs.flatMap((config) => config.nics.map((nic) => ({ nic, runAs: config.runAs })));
  return nics.flatMap(({ nic, runAs }, position): CheckedNic[] => {
    const id = macs[position];
    if (id === undefined) return [];
    const { net, bridge, vlan, mtu, lock } = nic;
    return [{ ...id, tap: tapName(id.machine, id.index), net, bridge, vlan, mtu, lock, runAs }];
  });
}
