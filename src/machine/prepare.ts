import type { CdromConfig, DiskConfig, MachineConfig } from '../config/types.ts';
import { ConfigError, type ConfigIssue, QemuError } from '../errors.ts';
import { readImageInfo } from '../system/image.ts';
import { probeKvm } from '../system/kvm-probe.ts';
import type { MachinePaths } from '../system/paths.ts';
import { probeQemu, type QemuProbe } from '../system/qemu-probe.ts';
import { findUser } from '../system/users.ts';
import { findFirmware } from './firmware.ts';
import type { Host } from './host.ts';
import { deviceIssues, fileIssues, hookIssues, programIssues, socketIssues } from './host-issues.ts';
import { fileIssue, issueAt, issueOf } from './issues.ts';

/** What has to be found out on the host before a command line can be built. */
export interface Prepared {
  readonly probe: QemuProbe;
  readonly accelerator: 'kvm' | 'tcg';
  readonly diskFormats: readonly string[];
  readonly cdromFormats: readonly string[];
}

/**
 * Looks at everything that the configuration names on this host. Warnings go to the host's `notify`.
 *
 * @throws {ConfigError} with all that is wrong; `QEMU_NOT_INSTALLED` when a program is missing and nothing else.
 */
export async function prepare(
  host: Host,
  config: MachineConfig,
  files: MachinePaths,
  signal?: AbortSignal,
): Promise<Prepared> {
  const { issues, probe, disks, cdroms } = await look(host, config, files, signal);
  if (probe === undefined || issues.some(({ severity }) => severity === 'error')) {
    throw new ConfigError(`Cannot use "${config.path}"`, issues);
  }
  for (const { message } of issues) host.notify({ level: 'warning', machine: config.longName, message });
  return {
    probe,
    accelerator: await accelerator(host, config, probe, signal),
    diskFormats: disks.map(({ format }) => format),
    cdromFormats: cdroms.map(({ format }) => format),
  };
}

/** The same findings as data, for `check`; `config` may be what could be read of a file with mistakes. */
export async function inspectHost(host: Host, config: MachineConfig, files: MachinePaths): Promise<ConfigIssue[]> {
  const { issues: found, probe } = await look(host, config, files, undefined);
  const issues = [...found, ...hookIssues(host, config)];
  if (config.kvm !== 'on' || probe === undefined) return issues;
  // A start does not try it, since QEMU itself says what is wrong.
  const { usable, reason } = await probeKvm(probe.binary, host.paths.probesDir);
  const message = `KVM=on, but KVM does not work here: ${reason}`;
  return usable ? issues : [...issues, { ...issueAt(config, 'KVM', message, 'set KVM=auto'), severity: 'warning' }];
}

interface Findings {
  readonly issues: ConfigIssue[];
  /** Undefined: there is no such QEMU, as an issue says. */
  readonly probe: QemuProbe | undefined;
  readonly disks: readonly FoundFormat[];
  readonly cdroms: readonly FoundFormat[];
}

async function look(
  host: Host,
  config: MachineConfig,
  files: MachinePaths,
  signal: AbortSignal | undefined,
): Promise<Findings> {
  const issues: ConfigIssue[] = [];
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
  if (probe !== undefined) issues.push(...deviceIssues(config, probe));
  await attempt('FIRMWARE', () => findFirmware(config, files));
  // The machine's own user is made by the start.
  if (config.runAs !== undefined && !config.ownUser) await attempt('RUNAS', () => findUser(config.runAs ?? ''));
  const disks = config.disks.map((disk) => diskFormat(config, disk));
  const cdroms = config.cdroms.map((cdrom) => cdromFormat(config, cdrom));
  issues.push(
    ...[...disks, ...cdroms].flatMap(({ issue }) => (issue ? [issue] : [])),
    ...fileIssues(config),
    ...programIssues(config),
    ...socketIssues(config, files),
  );
  return { issues: issues.sort((a, b) => (a.line ?? 0) - (b.line ?? 0)), probe, disks, cdroms };
}

interface FoundFormat {
  readonly format: string;
  readonly issue?: ConfigIssue;
}

function diskFormat(config: MachineConfig, disk: DiskConfig): FoundFormat {
  const key = `DSK${disk.index}`;
  let found: string;
  try {
    found = readImageInfo(disk.file).format;
  } catch (error) {
    return { format: disk.format ?? 'raw', issue: fileIssue(config, key, disk.file, error) };
  }
  if (disk.format !== undefined && disk.format !== found) {
    const message = `${key} is declared format=${disk.format}, but "${disk.file}" is ${found}`;
    return { format: disk.format, issue: issueAt(config, key, message, formatHint(found)) };
  }
  return { format: found };
}

/** A guest that may write to a raw disk can give it the header of another format: then the hint would be the attack. */
function formatHint(found: string): string {
  return `if nobody but you wrote to the image, declare format=${found}; otherwise look at it first: qemu-img info`;
}

function cdromFormat(config: MachineConfig, cdrom: CdromConfig): FoundFormat {
  if (cdrom.file === undefined) return { format: 'raw' };
  try {
    return { format: readImageInfo(cdrom.file).format };
  } catch (error) {
    return { format: 'raw', issue: fileIssue(config, `CDR${cdrom.index}`, cdrom.file, error) };
  }
}

async function accelerator(
  host: Host,
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
    tell('KVM=auto: KVM works here, and is used');
    return 'kvm';
  }
  host.notify({
    level: 'info',
    machine: config.longName,
    message: `KVM is not used (${verdict.reason}): the guest runs under TCG, many times slower`,
  });
  return 'tcg';
}
