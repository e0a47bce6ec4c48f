import { QemuError } from '../../base/errors.ts';
import type { Problem } from '../../base/problem.ts';
import { BOOT_VALUES } from '../../config/keys/values.ts';
import type { MachineConfig } from '../../config/types.ts';
import { issueAt } from '../../machine/check/issues.ts';
import { readBridge } from '../../network/sysfs.ts';
import { findProgram } from '../../system/process/exec.ts';
import { trustPath } from '../../system/trust/trusted-path.ts';

/** Warnings only: bridges come and go, so a missing one is not a mistake in the file. */
export function bridgeIssues(config: MachineConfig): Problem[] {
  return config.nics.flatMap(({ index, net, bridge: name, vlan }): Problem[] => {
    const bridge = net === 'bridge' ? readBridge(name) : undefined;
    const problem = net === 'bridge' && bridgeProblem(name, bridge, vlan);
    if (!problem) return [];
    return [
      { ...issueAt(config, `NIC${index}`, `NIC${index}: ${problem.message}`, problem.hint), severity: 'warning' },
    ];
  });
}

function bridgeProblem(
  name: string,
  bridge: ReturnType<typeof readBridge>,
  vlan: number | undefined,
): { readonly message: string; readonly hint: string } | undefined {
  if (bridge === undefined) {
    return { message: `there is no bridge "${name}" now`, hint: `create it: qemu-netif bridge add ${name}` };
  }
  if (bridge === 'no bridge') return { message: `"${name}" is not a bridge`, hint: 'see: qemu-netif bridge show' };
  if (vlan === undefined || bridge.vlanFiltering) return undefined;
  return {
    message: `vlan=${vlan} needs a VLAN-aware bridge, which "${name}" is not`,
    hint: `ip link set ${name} type bridge vlan_filtering 1`,
  };
}

/** What only a start would find out of `net=passt`. */
export function passtIssues(config: MachineConfig): Problem[] {
  const nics = config.nics.filter(({ net }) => net === 'passt');
  if (findProgram('passt') !== undefined) return [];
  return nics.map(({ index }) =>
    issueAt(config, `NIC${index}`, `NIC${index} has net=passt, but passt is not installed`, 'apt install passt'),
  );
}

/** Anyone who can connect to the server sees the screen and types on the keyboard. */
export function screenIssues(config: MachineConfig): Problem[] {
  const { vnc } = config;
  if (vnc.kind !== 'tcp' || vnc.passwordFile !== undefined) return [];
  const message = `VNC at ${vnc.host}: every user of this host can see the screen and use the keyboard`;
  return [{ ...issueAt(config, 'VNC', message, 'set VNC=unix, here or in defaults-qemu.cfg'), severity: 'warning' }];
}

/** Where the nightly backup would fail. The machine starts all the same: the disk for backups may not be there now. */
export function backupIssues(config: MachineConfig): Problem[] {
  const { backup } = config;
  if (backup === undefined) return [];
  const issue = (message: string, hint: string | undefined): Problem[] => [
    { ...issueAt(config, 'BACKUP', message, hint), severity: 'warning' },
  ];
  try {
    const { stats } = trustPath(backup.dest);
    if (stats?.isDirectory() === true) return [];
    const what = stats === undefined ? 'does not exist' : 'is not a folder';
    return issue(`BACKUP "${backup.dest}" ${what}`, 'create it, or mount the disk that it is on');
  } catch (error) {
    if (!(error instanceof QemuError)) throw error;
    return issue(`BACKUP: ${error.message}`, error.hint);
  }
}

/** A guest without anything to boot from runs, but only shows messages of its firmware. */
export function bootIssues(config: MachineConfig): Problem[] {
  const { disks, cdroms, nics, kernel, boot, custom } = config;
  const hasDisc = cdroms.some(({ file }) => file !== undefined);
  const has = {
    disk: disks.length > 0,
    cdrom: hasDisc,
    network: nics.some(({ net }) => net !== 'none'),
  };
  const isLoaded = kernel !== undefined || custom.some(({ args }) => !/^-(?:set|global|name|msg)$/.test(args[0] ?? ''));
  const hasOrder = [...disks, ...cdroms, ...nics].some(({ bootIndex }) => bootIndex !== undefined);
  const families = boot ?? BOOT_VALUES;
  if (isLoaded || hasOrder || families.some((family) => has[family])) return [];
  const message =
    boot === undefined ? 'There is nothing to boot from' : `There is nothing to boot from in BOOT=${boot.join(',')}`;
  return [{ ...issueAt(config, 'BOOT', message, 'add DSK1=, CDR1=, NIC1= or KERNEL='), severity: 'warning' }];
}
