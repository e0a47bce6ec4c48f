import type { CdromConfig, DiskConfig, MachineConfig } from '../config/types.ts';
import { ConfigError, type ConfigIssue, QemuError } from '../errors.ts';
import { readImageInfo } from '../system/image.ts';
import { probeKvm } from '../system/kvm-probe.ts';
import { type MachinePaths, SOCKET_PATH_MAX_BYTES } from '../system/paths.ts';
import { probeQemu, type QemuProbe } from '../system/qemu-probe.ts';
import type { Host } from './host.ts';
import { fileIssue, issueAt } from './issues.ts';

/** What has to be found out on the host before a command line can be built. */
export interface Prepared {
  readonly probe: QemuProbe;
  readonly accelerator: 'kvm' | 'tcg';
  readonly diskFormats: readonly string[];
  readonly cdromFormats: readonly string[];
}

/**
 * Looks at everything that the configuration names on this host.
 *
 * @throws {ConfigError} with all that is wrong.
 * @throws {QemuError} `QEMU_NOT_INSTALLED` when the QEMU program is missing.
 */
export async function prepare(
  host: Host,
  config: MachineConfig,
  files: MachinePaths,
  signal?: AbortSignal,
): Promise<Prepared> {
  const probe = await probeQemu(config.targetArch, host.paths.probesDir, signal ? { signal } : {});
  const disks = config.disks.map((disk) => diskFormat(config, disk));
  const cdroms = config.cdroms.map((cdrom) => cdromFormat(config, cdrom));
  const issues = [
    ...[...disks, ...cdroms].flatMap(({ issue }) => (issue ? [issue] : [])),
    ...fileIssues(config),
    ...deviceIssues(config, probe),
    ...socketIssues(config, files),
  ];
  if (issues.length > 0) {
    throw new ConfigError(`Cannot use "${config.path}"`, issues);
  }
  return {
    probe,
    accelerator: await accelerator(host, config, probe, signal),
    diskFormats: disks.map(({ format }) => format),
    cdromFormats: cdroms.map(({ format }) => format),
  };
}

/** The same findings as data, for `check`. */
export async function inspectHost(host: Host, config: MachineConfig, files: MachinePaths): Promise<ConfigIssue[]> {
  try {
    await prepare(host, config, files);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return [...error.issues];
    if (error instanceof QemuError) return [issueAt(config, 'TGTARCH', error.message, error.hint)];
    throw error;
  }
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

function fileIssues(config: MachineConfig): ConfigIssue[] {
  const files = [
    ['KERNEL', config.kernel],
    ['INITRD', config.initrd],
    ['VNC', config.vnc.kind === 'off' ? undefined : config.vnc.passwordFile],
  ] as const;
  return files.flatMap(([key, file]) => {
    if (file === undefined) return [];
    try {
      readImageInfo(file);
      return [];
    } catch (error) {
      return [fileIssue(config, key, file, error)];
    }
  });
}

function deviceIssues(config: MachineConfig, probe: QemuProbe): ConfigIssue[] {
  const issues = config.nics
    .filter((nic) => !probe.devices.has(nic.model))
    .map((nic) =>
      issueAt(
        config,
        `NIC${nic.index}`,
        `NIC${nic.index}: QEMU ${probe.version} has no network card "${nic.model}"`,
        `see: ${config.targetArch} -device help`,
      ),
    );
  const type = config.machine.split(',')[0] ?? '';
  if (probe.machines.has(type)) return issues;
  return [
    issueAt(
      config,
      'MACHINE',
      `MACHINE "${type}" is unknown to QEMU ${probe.version}`,
      `see: ${config.targetArch} -machine help`,
    ),
    ...issues,
  ];
}

/** unix(7): what is longer than `sun_path` cannot be bound. */
function socketIssues(config: MachineConfig, files: MachinePaths): ConfigIssue[] {
  const longest = files.consoleSocket;
  const bytes = Buffer.byteLength(longest);
  if (bytes <= SOCKET_PATH_MAX_BYTES) return [];
  const message = `the path of a socket, "${longest}", has ${bytes} bytes; ${SOCKET_PATH_MAX_BYTES} are allowed`;
  return [issueAt(config, 'NAME', message, 'use a shorter name or a shorter root folder')];
}

async function accelerator(
  host: Host,
  config: MachineConfig,
  probe: QemuProbe,
  signal: AbortSignal | undefined,
): Promise<'kvm' | 'tcg'> {
  if (config.kvm === 'off') return 'tcg';
  if (config.kvm === 'on') return 'kvm';
  const verdict = await probeKvm(probe.binary, host.paths.probesDir, signal ? { signal } : {});
  if (verdict.usable) return 'kvm';
  host.notify({
    level: 'info',
    machine: config.longName,
    message: `KVM is not used (${verdict.reason}): the guest runs under TCG, many times slower`,
  });
  return 'tcg';
}
