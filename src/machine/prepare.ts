import { nearest } from '../config/names.ts';
import type { CdromConfig, DiskConfig, MachineConfig } from '../config/types.ts';
import { ConfigError, type ConfigIssue, QemuError } from '../errors.ts';
import { findProgram } from '../system/find-program.ts';
import { readImageInfo } from '../system/image.ts';
import { probeKvm } from '../system/kvm-probe.ts';
import { type MachinePaths, SOCKET_PATH_MAX_BYTES } from '../system/paths.ts';
import { probeQemu, type QemuProbe } from '../system/qemu-probe.ts';
import { findUser } from '../system/users.ts';
import { findFirmware } from './firmware.ts';
import type { Host } from './host.ts';
import { fileIssue, issueAt, issueOf } from './issues.ts';
import { readVncPassword } from './vnc-password.ts';

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
  const { issues, probe } = await look(host, config, files, undefined);
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
  if (config.runAs !== undefined) await attempt('RUNAS', () => findUser(config.runAs ?? ''));
  const disks = config.disks.map((disk) => diskFormat(config, disk));
  const cdroms = config.cdroms.map((cdrom) => cdromFormat(config, cdrom));
  issues.push(
    ...[...disks, ...cdroms].flatMap(({ issue }) => (issue ? [issue] : [])),
    ...fileIssues(config),
    ...programIssues(config),
    ...hookIssues(host, config),
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

function fileIssues(config: MachineConfig): ConfigIssue[] {
  const password = config.vnc.kind === 'off' ? undefined : config.vnc.passwordFile;
  const files = [
    ['KERNEL', config.kernel],
    ['INITRD', config.initrd],
    ['FIRMWARE', config.firmware.startsWith('/') ? config.firmware : undefined],
    ['VNC', password],
  ] as const;
  const issues = files.flatMap(([key, file]) => {
    if (file === undefined) return [];
    try {
      readImageInfo(file);
      return [];
    } catch (error) {
      return [fileIssue(config, key, file, error)];
    }
  });
  if (password === undefined || issues.some(({ key }) => key === 'VNC') || readVncPassword(password) !== '')
    return issues;
  const empty = `The VNC password file "${password}" is empty`;
  return [...issues, issueAt(config, 'VNC', empty, 'its first line is the password')];
}

/** The machine's own commands. Only the first of them stops a start. */
function programIssues(config: MachineConfig): ConfigIssue[] {
  const commands = [
    ['PRECMD', config.preCommand],
    ['POSTCMD', config.postCommand],
    ['PRESTOP', config.preStop],
    ['POSTSTOP', config.postStop],
  ] as const;
  return commands.flatMap(([key, [program]]): ConfigIssue[] => {
    if (program === undefined || findProgram(program) !== undefined) return [];
    const issue = issueAt(config, key, `${key} "${program}" is not there, or is no program`);
    return [{ ...issue, severity: key === 'PRECMD' ? 'error' : 'warning', code: 'QEMU_NOT_INSTALLED' }];
  });
}

/** With NETIF=hook QEMU makes the taps, and calls these to join them to their bridges. */
function hookIssues({ paths }: Host, config: MachineConfig): ConfigIssue[] {
  const nic = config.nics.find(({ net }) => net === 'bridge');
  if (config.netif !== 'hook' || nic === undefined) return [];
  const missing = [paths.bridgeUpHook, paths.bridgeDownHook].filter((hook) => findProgram(hook) === undefined);
  if (missing.length === 0) return [];
  const hint = `${missing.map((hook) => `ln -s "$(command -v qemu-netif)" ${hook}`).join('; ')}; or set NETIF=managed`;
  const message = `NIC${nic.index} needs "${missing.join('" and "')}" (NETIF=hook), missing here`;
  return [{ ...issueAt(config, `NIC${nic.index}`, message, hint), code: 'QEMU_NOT_INSTALLED' }];
}

function deviceIssues(config: MachineConfig, probe: QemuProbe): ConfigIssue[] {
  const issues = config.nics
    .filter((nic) => !probe.devices.has(nic.model))
    .map(({ index, model }) => {
      const message = `NIC${index}: QEMU ${probe.version} has no network card "${model}"`;
      return issueAt(config, `NIC${index}`, message, `see: ${config.targetArch} -device help`);
    });
  const type = config.machine.split(',')[0] ?? '';
  if (!probe.machines.has(type)) {
    const message = `MACHINE "${type}" is unknown to QEMU ${probe.version}`;
    issues.push(issueAt(config, 'MACHINE', message, `see: ${config.targetArch} -machine help`));
  }
  const model = config.cpu?.split(',')[0] ?? '';
  // Not every target tells which it has.
  if (model !== '' && probe.cpus.size > 0 && !probe.cpus.has(model)) {
    const near = nearest(model, [...probe.cpus]);
    const hint = near === undefined ? `see: ${config.targetArch} -cpu help` : `did you mean "${near}"?`;
    issues.push(issueAt(config, 'CPU', `CPU "${model}" is unknown to QEMU ${probe.version}`, hint));
  }
  return issues;
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
