import { QemuError } from '../../base/errors.ts';
import { hasErrors, type Problem } from '../../base/problem.ts';
import { BOOT_VALUES } from '../../config/keys/values.ts';
import type { MachineConfig } from '../../config/types.ts';
import { issueAt } from '../../machine/check/issues.ts';
import { needsTry, tryStart } from '../../machine/check/try-start.ts';
import type { MachineRef } from '../../machine/context.ts';
import { monitorOrigins } from '../../machine/load-config.ts';
import { inspectHost } from '../../machine/start/prepare.ts';
import { withhold } from '../../machine/withheld.ts';
import { readBridge } from '../../network/sysfs.ts';
import type { Paths } from '../../system/paths.ts';
import { findProgram } from '../../system/process/exec.ts';
import { trustPath } from '../../system/trust/trusted-path.ts';
import { lookUpUser } from '../../system/users.ts';
import { clusterResources, resourceOf } from '../cluster/cib.ts';
import { clusterIssues } from '../cluster/cluster-issues.ts';
import type { Machines } from '../machines.ts';
import { macIssues } from '../macs.ts';
import { requirementError } from '../schedule/requires.ts';
import { newLook, type StorageLook, storageIssues } from '../storage.ts';
import { checkRunAs } from './host/run-as.ts';

/** The machines of a fleet, and those that run without being registered, whose files can be read, by long name. */
export function readableConfigs(machines: Machines): ReadonlyMap<string, MachineConfig> {
  return machines.configs(machines.listWithRunning());
}

/** What is looked at besides. */
export interface CheckMachineOptions {
  /**
   * When nothing else is wrong, also let QEMU create the machine: always, or where only that shows whether it can
   * (default: never).
   */
  readonly tryStart?: 'always' | 'when needed' | undefined;
  /** As a machine that a cluster runs; one that the cluster of this host knows always is. */
  readonly cluster?: boolean | undefined;
}

/**
 * All problems of one machine: in its file, on this host and with other machines.
 *
 * @param others result of {@link readableConfigs}, read once for many machines.
 */
export async function checkMachine(
  machines: Machines,
  target: MachineRef,
  others: ReadonlyMap<string, MachineConfig> = readableConfigs(machines),
  options: CheckMachineOptions = {},
): Promise<Problem[]> {
  const { draft, issues } = machines.inspect(target);
  if (!draft) return [...issues];
  const found = [
    ...issues,
    ...(await inspectHost(machines.host, draft, target.files)),
    ...storageIssues(
      machines.host.paths,
      draft,
      [...others.values()].map((config) => ({ config })),
      lookOf(others),
    ),
    ...addressIssues(machines, draft, others),
    ...sharedIdentities(draft, others),
    ...requiresIssues(machines, target, draft),
    ...bridgeIssues(draft),
    ...passtIssues(draft),
    ...(await runAsIssues(machines.host.paths, draft)),
    ...monitorIssues(machines, draft),
    ...screenIssues(draft),
    ...backupIssues(draft),
    ...(await clusterProblems(machines, target, draft, options.cluster)),
  ];
  // The thing to boot from may be what is wrong.
  if (!hasErrors(found)) found.push(...bootIssues(draft));
  const isTried = options.tryStart === 'always' || (options.tryStart === 'when needed' && needsTry(draft));
  if (isTried && !found.some(({ severity }) => severity === 'error')) {
    found.push(...(await tryStart(machines.host, target, draft)));
  }
  return withhold(withoutFollowers(found)).sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
}

/** Drops warnings about lines with errors: they are about a misread value. */
function withoutFollowers(problems: readonly Problem[]): Problem[] {
  const isError = ({ severity }: Problem): boolean => severity === 'error';
  const wrong = new Set(
    problems.filter(isError).flatMap(({ file, line, key }) => (line === undefined ? [] : [`${file}:${line}:${key}`])),
  );
  return problems.filter((problem) => isError(problem) || !wrong.has(`${problem.file}:${problem.line}:${problem.key}`));
}

/** A command that checks many machines among the same others looks at the storage of those once. */
function lookOf(others: ReadonlyMap<string, MachineConfig>): StorageLook {
  const look = looks.get(others) ?? newLook();
  looks.set(others, look);
  return look;
}

const looks = new WeakMap<ReadonlyMap<string, MachineConfig>, StorageLook>();

/** Fixed addresses that another machine has or asks for. */
function addressIssues(
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
function sharedIdentities(config: MachineConfig, others: ReadonlyMap<string, MachineConfig>): Problem[] {
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

/** Ids that mean no machine, and machines that require each other. */
function requiresIssues(machines: Machines, target: MachineRef, config: MachineConfig): Problem[] {
  const error = requirementError(target, (each) => {
    return (machines.inspect(each).draft?.requires ?? []).map((id) => machines.get(id));
  });
  return error === undefined ? [] : [issueAt(config, 'REQUIRES', error.message, error.hint)];
}

/** Warnings only: bridges come and go, so a missing one is not a mistake in the file. */
function bridgeIssues(config: MachineConfig): Problem[] {
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

/** Files that the machine's own user may not use. */
async function runAsIssues(paths: Paths, config: MachineConfig): Promise<Problem[]> {
  const findings = await checkRunAs(paths, [config], AbortSignal.timeout(RUN_AS_MS));
  return (
    findings
      // A user that does not exist is reported elsewhere.
      .filter(({ severity, machine }) => severity === 'error' && machine !== undefined)
      .map(({ message, detail = message, hint }) => issueAt(config, 'RUNAS', capitalized(detail), hint))
  );
}

function capitalized(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}

/** A shell as that user looks at some files. */
const RUN_AS_MS = 10_000;

async function clusterProblems(
  { host }: Machines,
  target: MachineRef,
  config: MachineConfig,
  isAsked = false,
): Promise<Problem[]> {
  const resource = resourceOf(clusterResources(host.paths), target);
  if (!isAsked && resource === undefined) return [];
  const { ownUser, runAs } = config;
  const needsUser = ownUser && runAs !== undefined && (await lookUpUser(runAs)) === undefined;
  return clusterIssues(config, resource, needsUser);
}

/** What only a start would find out of `net=passt`. */
function passtIssues(config: MachineConfig): Problem[] {
  const nics = config.nics.filter(({ net }) => net === 'passt');
  if (findProgram('passt') !== undefined) return [];
  return nics.map(({ index }) =>
    issueAt(config, `NIC${index}`, `NIC${index} has net=passt, but passt is not installed`, 'apt install passt'),
  );
}

/** Anyone who can connect to the server sees the screen and types on the keyboard. */
function screenIssues(config: MachineConfig): Problem[] {
  const { vnc } = config;
  if (vnc.kind !== 'tcp' || vnc.passwordFile !== undefined) return [];
  const message = `VNC at ${vnc.host}: every user of this host can see the screen and use the keyboard`;
  return [{ ...issueAt(config, 'VNC', message, 'set VNC=unix, here or in defaults-qemu.cfg'), severity: 'warning' }];
}

/** Where the nightly backup would fail. The machine starts all the same: the disk for backups may not be there now. */
function backupIssues(config: MachineConfig): Problem[] {
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
function bootIssues(config: MachineConfig): Problem[] {
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

function monitorIssues(machines: Machines, config: MachineConfig): Problem[] {
  const { monitor, paths } = machines.host;
  if (machines.monitorError) return [...machines.monitorError.issues];
  if (monitor.monitor === 'off' || monitor.tls === 'psk') return [];
  return [
    {
      file: paths.monitorFile,
      line: monitorOrigins(paths.monitorFile).get('TLS')?.line,
      key: 'TLS',
      severity: 'warning',
      message: `TLS=off: every user of this host, and web pages that they open, can control machine "${config.longName}"`,
      hint: 'set TLS=psk',
    },
  ];
}
