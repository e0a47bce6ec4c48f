import { realpathSync } from 'node:fs';
import type { MachineConfig } from '../config/types.ts';
import { type ConfigIssue, QemuError } from '../errors.ts';
import type { Target } from '../machine/host.ts';
import { issueAt } from '../machine/issues.ts';
import { inspectHost } from '../machine/prepare.ts';
import { findProgram } from '../system/exec.ts';
import { judgeRunAs } from './doctor/run-as.ts';
import type { Fleet } from './fleet.ts';
import { peekMacs } from './leases.ts';

/** The machines of a fleet whose files can be read, by long name. */
export function readableConfigs(fleet: Fleet): ReadonlyMap<string, MachineConfig> {
  return new Map(
    fleet.list().flatMap((target) => {
      const { config } = fleet.inspect(target);
      return config === undefined ? [] : [[target.longName, config] as const];
    }),
  );
}

/**
 * All that is wrong with one machine, in its file, on this host and among the others.
 *
 * @param others what {@link readableConfigs} gave, to be read once for many machines.
 */
export async function checkMachine(
  fleet: Fleet,
  target: Target,
  others: ReadonlyMap<string, MachineConfig> = readableConfigs(fleet),
): Promise<ConfigIssue[]> {
  const { config, issues } = fleet.inspect(target);
  if (!config) return [...issues];
  return [
    ...issues,
    ...(await inspectHost(fleet.host, config, target.files)),
    ...shared(config, others),
    ...addressIssues(fleet, config),
    ...passtIssues(config),
    ...(await runAsIssues(config)),
    ...monitorIssues(fleet, config),
  ].sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
}

/** Images and addresses that another machine has too. Two machines may share what neither of them writes to. */
function shared(config: MachineConfig, others: ReadonlyMap<string, MachineConfig>): ConfigIssue[] {
  const issues: ConfigIssue[] = [];
  for (const [other, theirs] of others) {
    if (other === config.longName) continue;
    for (const disk of config.disks) {
      const same = theirs.disks.find((each) => realPath(each.file) === realPath(disk.file));
      if (!same || (isReadOnly(disk) && isReadOnly(same))) continue;
      const message = `DSK${disk.index} "${disk.file}" is DSK${same.index} of machine "${other}" too`;
      issues.push(
        issueAt(
          config,
          `DSK${disk.index}`,
          message,
          'give each machine an image of its own, or set readonly=on in both',
        ),
      );
    }
    for (const nic of config.nics) {
      const same = theirs.nics.find(
        (each) => each.mac !== undefined && each.mac.toUpperCase() === nic.mac?.toUpperCase(),
      );
      if (!same) continue;
      const message = `NIC${nic.index} has the address ${nic.mac} of NIC${same.index} of machine "${other}"`;
      issues.push(
        issueAt(config, `NIC${nic.index}`, message, 'leave mac= out: an address is then derived that nobody has'),
      );
    }
  }
  return issues;
}

function isReadOnly(disk: MachineConfig['disks'][number]): boolean {
  return disk.readonly || disk.snapshot;
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

/** Addresses that collide with a lease. */
function addressIssues(fleet: Fleet, config: MachineConfig): ConfigIssue[] {
  try {
    peekMacs(fleet.host.paths, config);
    return [];
  } catch (error) {
    if (!(error instanceof QemuError)) throw error;
    return [issueAt(config, 'NIC', error.message, error.hint)];
  }
}

/** Files that the machine's own user may not use. */
async function runAsIssues(config: MachineConfig): Promise<ConfigIssue[]> {
  const findings = await judgeRunAs([config], AbortSignal.timeout(RUN_AS_MS));
  return findings
    .filter(({ severity }) => severity === 'error')
    .map(({ detail, fix }) => issueAt(config, 'RUNAS', `${detail[0]?.toUpperCase()}${detail.slice(1)}`, fix));
}

/** A shell as that user looks at some files. */
const RUN_AS_MS = 10_000;

/** What only a start would find out of `net=passt`. */
function passtIssues(config: MachineConfig): ConfigIssue[] {
  const nics = config.nics.filter(({ net }) => net === 'passt');
  if (findProgram('passt') !== undefined) return [];
  return nics.map(({ index }) =>
    issueAt(config, `NIC${index}`, `NIC${index} has net=passt, and that program is missing`, 'apt install passt'),
  );
}

function monitorIssues(fleet: Fleet, config: MachineConfig): ConfigIssue[] {
  const { monitor, paths } = fleet.host;
  if (fleet.monitorError) return [...fleet.monitorError.issues];
  if (monitor.monitor === 'off' || monitor.tls === 'psk') return [];
  return [
    {
      file: paths.monitorFile,
      key: 'TLS',
      severity: 'warning',
      message: `TLS=off: every user of this host, and web pages that they open, can command machine "${config.longName}"`,
      hint: 'set TLS=psk',
    },
  ];
}
