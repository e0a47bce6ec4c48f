import { ConfigError } from '../../base/config-error.ts';
import { QemuError } from '../../base/errors.ts';
import type { Problem } from '../../base/problem.ts';
import type { MachineConfig } from '../../config/types.ts';
import type { MachinePaths } from '../../system/paths.ts';
import { probeKvm } from '../../system/probe/kvm-probe.ts';
import { probeQemu, type QemuProbe } from '../../system/probe/qemu-probe.ts';
import { customFileIssues } from '../check/custom-file-issues.ts';
import { customIssues } from '../check/custom-issues.ts';
import { exchangeableFileIssues } from '../check/exchangeable-files.ts';
import { helperIssues } from '../check/helper-issues.ts';
import { hostDeviceIssues } from '../check/host-device-issues.ts';
import { customProgramIssues, fileIssues, hookIssues, programIssues, socketIssues } from '../check/host-issues.ts';
import { hugePageIssues } from '../check/huge-page-issues.ts';
import { issueAt, issueOf } from '../check/issues.ts';
import { limitIssues } from '../check/limit-issues.ts';
import { listenIssues } from '../check/listen-issues.ts';
import { openFileIssues } from '../check/open-files.ts';
import { targetIssues } from '../check/target-issues.ts';
import type { MachineContext } from '../context.ts';
import { locate } from '../run/locate.ts';
import { type FoundImages, findImages } from '../storage/images.ts';
import { fitToTarget } from '../target.ts';
import { withhold } from '../withheld.ts';
import { findFirmware } from './firmware.ts';
import { firmwareIssues } from './firmware-issues.ts';
import { existingOwnUser } from './own-user.ts';
import { findRunAsUser } from './run-as.ts';

/** What must be known about the host before a command line can be built. */
export interface Prepared {
  readonly probe: QemuProbe;
  readonly accelerator: 'kvm' | 'tcg';
  readonly images: FoundImages;
}

/**
 * Looks at everything that the configuration names on this host. Warnings go to the host's `notify`.
 *
 * @throws {ConfigError} with all that is wrong; `QEMU_NOT_INSTALLED` when a program is missing and nothing else.
 */
export async function prepare(
  host: MachineContext,
  config: MachineConfig,
  files: MachinePaths,
  signal?: AbortSignal,
): Promise<Prepared> {
  const { issues, probe, images } = await look(host, config, files, signal);
  if (probe === undefined || issues.some(({ severity }) => severity === 'error')) {
    throw new ConfigError(`Cannot use "${config.path}"`, withhold(issues));
  }
  for (const { message } of issues) host.notify({ level: 'warning', machine: config.longName, message });
  return {
    probe,
    accelerator: await accelerator(host, config, probe, signal),
    images,
  };
}

/** The same findings as data, for `check`; `config` may be what could be read of a file with mistakes. */
export async function inspectHost(
  host: MachineContext,
  config: MachineConfig,
  files: MachinePaths,
): Promise<Problem[]> {
  const { issues: found, probe } = await look(host, config, files, undefined);
  const issues = [
    ...found,
    ...customFileIssues(config),
    ...openFileIssues(config),
    ...exchangeableFileIssues(config, files),
    ...hookIssues(host, config).filter(isWarning),
    ...(await listenIssues(config, files)),
  ];
  if (config.kvm !== 'on' || probe === undefined) return issues;
  // A start does not try it, since QEMU itself reports what is wrong.
  const { usable, reason } = await probeKvm(probe.binary, host.paths.probesDir);
  const message = `KVM=on, but KVM does not work here: ${reason}`;
  return usable ? issues : [...issues, { ...issueAt(config, 'KVM', message, 'set KVM=auto'), severity: 'warning' }];
}

function isWarning({ severity }: Problem): boolean {
  return severity === 'warning';
}

interface Findings {
  readonly issues: Problem[];
  /** Undefined: there is no such QEMU, as an issue says. */
  readonly probe: QemuProbe | undefined;
  readonly images: FoundImages;
}

async function look(
  host: MachineContext,
  config: MachineConfig,
  files: MachinePaths,
  signal: AbortSignal | undefined,
): Promise<Findings> {
  const issues: Problem[] = [];
  const attempt = async <T>(key: string, work: () => T | Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof QemuError) || error.code === 'QEMU_ABORTED') throw error;
      issues.push(issueOf(config, key, error));
      return undefined;
    }
  };
  const probe = await attempt('TGTARCH', () =>
    probeQemu(config.targetArch, host.paths.probesDir, signal ? { signal } : {}),
  );
  if (probe !== undefined) {
    const fitted = fitToTarget(config, probe);
    issues.push(...customIssues(fitted, files, host.monitor));
    issues.push(...targetIssues(fitted, probe, await accelerator(silent(host), config, probe, signal)));
  }
  await attempt('FIRMWARE', () => findFirmware(config, files));
  if (config.cloudInit !== undefined) {
    const { seedIssues } = await import('../seed/seed-issues.ts');
    issues.push(...((await attempt('CLOUDINIT', () => seedIssues(config))) ?? []));
  }
  // The machine's own user is made by the start.
  if (config.ownUser) await attempt('RUNAS', () => existingOwnUser(config));
  else if (config.runAs !== undefined) await attempt('RUNAS', () => findRunAsUser(config.runAs ?? ''));
  const images = findImages(host.paths, config);
  // A bridge hook that is missing may be made at any time; one that others may change would be run by QEMU.
  const hooks = hookIssues(host, config).filter((issue) => !isWarning(issue));
  issues.push(
    ...images.issues,
    ...fileIssues(config),
    ...firmwareIssues(config, files),
    ...limitIssues(config),
    ...hostDeviceIssues(config, ownPid(files)),
    ...hugePageIssues(config),
    ...programIssues(config),
    ...customProgramIssues(config),
    ...(await helperIssues(config)),
    ...hooks,
    ...socketIssues(config, files),
  );
  return { issues: issues.sort((a, b) => (a.line ?? 0) - (b.line ?? 0)), probe, images };
}

function ownPid(files: MachinePaths): number | undefined {
  const located = locate(files);
  return located.kind === 'alive' ? located.process.pid : undefined;
}

/** For a look whose steps are not reported. */
function silent(host: MachineContext): MachineContext {
  return { ...host, notify: () => {} };
}

async function accelerator(
  host: MachineContext,
  config: MachineConfig,
  probe: QemuProbe,
  signal: AbortSignal | undefined,
): Promise<'kvm' | 'tcg'> {
  const tell = (message: string): void => host.notify({ level: 'debug', machine: config.longName, message });
  if (config.kvm !== 'auto') {
    const chosen = config.kvm === 'on' ? 'kvm' : 'tcg';
    tell(`KVM=${config.kvm}: the guest runs under ${chosen.toUpperCase()}`);
    return chosen;
  }
  const verdict = await probeKvm(probe.binary, host.paths.probesDir, signal ? { signal } : {});
  if (verdict.usable) {
    tell('KVM=auto: KVM works here and is used');
    return 'kvm';
  }
  host.notify({
    level: 'info',
    machine: config.longName,
    message: `KVM is not used (${verdict.reason}): the guest runs under TCG, many times slower`,
  });
  return 'tcg';
}
