import { statSync } from 'node:fs';
import type { MachineConfig } from '../../config/types.ts';
import { type MachineRef, notRunning } from '../../machine/context.ts';
import { locate } from '../../machine/run/locate.ts';
import { modeText, type Readers, readersOf } from '../../system/files/file-access.ts';
import {
  type ListeningSocket,
  listeningSockets,
  type ProcessRights,
  readRights,
} from '../../system/process/process-rights.ts';
import { groupName, userName } from '../../system/users.ts';
import type { Machines } from '../machines.ts';

/** Who has access to a file. */
export interface FileAccess {
  readonly path: string;
  readonly owner: string;
  /** As chmod(1) writes it: `0640`. */
  readonly mode: string;
  readonly readableBy: Readers;
}

/** What a running machine's QEMU may do, and who has access to its files. */
export interface SecurityReport extends Omit<ProcessRights, 'uid' | 'gid' | 'groups'> {
  readonly pid: number;
  readonly user: string;
  /** All groups, the primary one first. */
  readonly groups: readonly string[];
  readonly listening: readonly ListeningSocket[];
  readonly files: readonly FileAccess[];
  /** What could be more secure, and how. */
  readonly advice: readonly string[];
}

/**
 * Looks at the QEMU of a machine.
 *
 * @throws {QemuError} `QEMU_NOT_RUNNING`
 */
export function inspectSecurity(machines: Machines, target: MachineRef): SecurityReport {
  const located = locate(target.files);
  const rights = located.kind === 'alive' ? readRights(located.process.pid) : undefined;
  if (located.kind !== 'alive' || rights === undefined) throw notRunning(target);
  const { pid } = located.process;
  const { config } = machines.inspect(target);
  const { uid, gid, groups, ...others } = rights;
  const report = {
    pid,
    user: userName(uid),
    groups: [...new Set([gid, ...groups])].map(groupName),
    ...others,
    listening: listeningSockets(pid),
    files: filesOf(target, config).flatMap(accessTo),
  };
  return { ...report, advice: adviceFor({ ...report, advice: [] }, uid, config, located.record?.vnc?.port) };
}

function filesOf({ files, configPath }: MachineRef, config: MachineConfig | undefined): string[] {
  const images = (config?.disks ?? []).map(({ file }) => file);
  const password = config === undefined || config.vnc.kind === 'off' ? undefined : config.vnc.passwordFile;
  const secret = password === undefined ? [] : [password];
  return [configPath, ...images, ...secret, files.dir, files.qemuDir, files.tlsDir, files.log, files.consoleLog];
}

function accessTo(path: string): FileAccess[] {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return [];
  return [{ path, owner: userName(stats.uid), mode: modeText(stats), readableBy: readersOf(path, stats) }];
}

function adviceFor(
  report: SecurityReport,
  uid: number,
  config: MachineConfig | undefined,
  vncPort: number | undefined,
): string[] {
  const advice: string[] = [];
  if (vncPort !== undefined && config?.vnc.kind === 'tcp' && config.vnc.passwordFile === undefined) {
    advice.push(`every user of this host can see and use the screen at port ${vncPort}: set VNC=unix`);
  }
  if (uid === 0) advice.push('QEMU is root: set RUNAS=auto');
  else if (report.capabilities.length > 0) advice.push(`QEMU has capabilities: ${report.capabilities.join(', ')}`);
  if (config?.runAs !== undefined && !config.ownUser) {
    advice.push(`other machines may run as user ${report.user}, too: set RUNAS=auto`);
  }
  if (uid !== process.geteuid?.() && !report.closed.includes('temporary')) {
    advice.push('it sees the temporary files of the host: start it as a service');
  }
  if (report.seccomp === 'off') advice.push('it may make any system call: set SANDBOX=on');
  for (const { address, port } of report.listening) {
    if (address.startsWith('127.') || address === '::1') continue;
    advice.push(`port ${port} can be reached from other hosts at ${address}`);
  }
  for (const { path, readableBy } of report.files) {
    if (readableBy === 'everybody' && !path.endsWith('.cfg')) advice.push(`every user may read "${path}": chmod o-r`);
  }
  return advice;
}
