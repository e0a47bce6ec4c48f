import { type CheckedNic, judgeNetwork } from '../../network/doctor.ts';
import { readNetworkFacts } from '../../network/doctor-facts.ts';
import { parseLeases } from '../../network/leases.ts';
import { previewMacs } from '../../network/mac-preview.ts';
import { tapName } from '../../network/names.ts';
import { readTextIfExists } from '../../system/files.ts';
import type { Context } from '../context.ts';

export async function run(context: Context): Promise<number> {
  const { output, paths, signal } = context;
  const nics = checkedNics(context);
  const findings = judgeNetwork(nics, await readNetworkFacts(nics, paths.tapsDir, signal));
  if (output.json) output.document(findings);
  else
    for (const { severity, title, detail, fix } of findings)
      output.line(`${severity}: ${title}\n  ${detail}\n  fix: ${fix}`);
  if (findings.length === 0 && !output.json) output.line('no problem found');
  return findings.some(({ severity }) => severity === 'error') ? 1 : 0;
}

/** The NICs of all machines whose files can be read. */
function checkedNics(context: Context): CheckedNic[] {
  const fleet = context.fleet();
  const configs = fleet.listWithRunning().flatMap((target) => {
    const { config } = fleet.inspect(target);
    if (config === undefined)
      context.output.note('warning', `${target.longName}: not looked at, see: qemu-init check ${target.longName}`);
    return config ?? [];
  });
  const table = parseLeases(readTextIfExists(context.paths.leasesFile));
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
