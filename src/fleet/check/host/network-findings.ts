import { realpathSync } from 'node:fs';
import { basename } from 'node:path';
import type { Problem } from '../../../base/problem.ts';
import type { MachineConfig } from '../../../config/types.ts';
import { checkNetworkFindings, networkObstacles } from '../../../network/check/check-network.ts';
import { type CheckedNic, readNetworkFacts, readStartFacts } from '../../../network/check/network-facts.ts';
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
export function nicProblems(config: MachineConfig, paths: Paths): Problem[] {
  const nics = checkedNics([config], paths);
  return networkObstacles(nics, readStartFacts(nics));
}

function checkedNics(configs: readonly MachineConfig[], paths: Paths): CheckedNic[] {
  const table = parseLeases(readTextIfExists(paths.leasesFile));
  const requests = configs.map(({ longName, name, os, nics }) => ({ machine: longName, name, os, nics }));
  const macs = previewMacs(table, requests);
  const isReplaced = isForeignHook(paths.bridgeUpHook);
  const nics = configs.flatMap((config) => config.nics.map((nic) => ({ nic, config })));
  return nics.flatMap(({ nic, config: { runAs, netif } }, position): CheckedNic[] => {
    const id = macs[position];
    if (id === undefined) return [];
    const { net, bridge, vlan, mtu, lock, rate } = nic;
    const isForeign = isReplaced && netif === 'hook' && net === 'bridge';
    return [{ ...id, tap: tapName(id.machine, id.index), net, bridge, vlan, mtu, lock, rate, runAs, isForeign }];
  });
}

/** Whether what QEMU calls for its taps is none of our tools, such as a script for Open vSwitch. */
function isForeignHook(path: string): boolean {
  try {
    return basename(realpathSync(path)) !== 'qemu-netif';
  } catch {
    // It is missing.
    return false;
  }
}
