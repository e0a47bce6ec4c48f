import { hasErrors, type Problem } from '../../base/problem.ts';
import type { MachineConfig } from '../../config/types.ts';
import { issueAt } from '../../machine/check/issues.ts';
import { needsTry, tryStart } from '../../machine/check/try-start.ts';
import type { MachineRef } from '../../machine/context.ts';
import { monitorOrigins } from '../../machine/load-config.ts';
import { inspectHost } from '../../machine/start/prepare.ts';
import { withhold } from '../../machine/withheld.ts';
import type { Paths } from '../../system/paths.ts';
import { lookUpUser } from '../../system/users.ts';
import { clusterResources, resourceOf } from '../cluster/cib.ts';
import { clusterIssues } from '../cluster/cluster-issues.ts';
import type { Machines } from '../machines.ts';
import { requirementError } from '../schedule/requires.ts';
import { newLook, type StorageLook, storageIssues } from '../storage.ts';
import { checkRunAs } from './host/run-as.ts';
import { addressIssues, sharedIdentities } from './other-machines.ts';
import { backupIssues, bootIssues, bridgeIssues, passtIssues, screenIssues } from './setting-issues.ts';

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

/** Ids that mean no machine, and machines that require each other. */
function requiresIssues(machines: Machines, target: MachineRef, config: MachineConfig): Problem[] {
  const error = requirementError(target, (each) => {
    return (machines.inspect(each).draft?.requires ?? []).map((id) => machines.get(id));
  });
  return error === undefined ? [] : [issueAt(config, 'REQUIRES', error.message, error.hint)];
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
