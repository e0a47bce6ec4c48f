import { existsSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { QemuError } from '../../base/errors.ts';
import { fileError } from '../files/file-error.ts';
import { readTextIfExists } from '../files/files.ts';
import { type ExecResult, run } from '../process/exec.ts';

/** Whether systemd is process 1 here: sd_booted(3). */
export function isSystemdBooted(): boolean {
  return existsSync('/run/systemd/system');
}

/** Whether a unit file of that name is installed: systemd.unit(5), "Unit File Load Path". */
export function isUnitInstalled(name: string): boolean {
  return UNIT_FOLDERS.some((folder) => existsSync(`${folder}/${name}`));
}

/** Whether an administrator has disabled the start of a unit: systemctl(1), "mask". */
export function isUnitMasked(name: string): boolean {
  return MASKS.some((folder) => linkedTo(`${folder}/${name}`) === '/dev/null');
}

const MASKS = ['/etc/systemd/system', '/run/systemd/system'];

function linkedTo(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

/** Text of the unit file of that name that systemd loads; empty when there is none. */
export function unitFileText(name: string): string {
  const path = UNIT_FOLDERS.map((folder) => join(folder, name)).find((each) => existsSync(each));
  return path === undefined ? '' : (readTextIfExists(path) ?? '');
}

/** Like that, for the service managers of users. */
export function isUserUnitInstalled(name: string): boolean {
  return USER_UNIT_FOLDERS.some((folder) => existsSync(`${folder}/${name}`));
}

const USER_UNIT_FOLDERS = [
  '/etc/systemd/user',
  '/run/systemd/user',
  '/usr/local/lib/systemd/user',
  '/usr/lib/systemd/user',
];

export const UNIT_FOLDERS: readonly string[] = [
  '/etc/systemd/system',
  '/run/systemd/system',
  '/usr/local/lib/systemd/system',
  '/usr/lib/systemd/system',
  '/lib/systemd/system',
];

/** Reading what changed may take a while on a host that is busy booting. */
const TIMEOUT_MS = 90_000;

/** How systemctl is run. */
export interface SystemctlOptions {
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Run-time folder of the user whose service manager is meant; undefined: the host's own. */
  readonly manager?: string | undefined;
}

/** Runs systemctl to its end, whatever its status. A job that it waits for goes on when it is given up. */
export function systemctl(
  args: readonly string[],
  { timeoutMs = TIMEOUT_MS, signal, manager }: SystemctlOptions = {},
): Promise<ExecResult> {
  const [scope, env] = manager === undefined ? [[], {}] : [['--user'], { XDG_RUNTIME_DIR: manager }];
  return run('systemctl', [...scope, '--no-ask-password', ...args], { timeoutMs, signal, env });
}

/**
 * Makes systemd read its units again.
 *
 * @throws {QemuError} `QEMU_COMMAND_FAILED`
 */
export async function reloadSystemd(options: SystemctlOptions = {}): Promise<void> {
  const { exitCode, stderr } = await systemctl(['daemon-reload'], options);
  if (exitCode !== 0) throw new QemuError('QEMU_COMMAND_FAILED', `systemd did not reload: ${stderr.trim()}`);
}

/**
 * Where generators write units of normal priority: systemd.generator(7).
 *
 * @param manager as for {@link systemctl}.
 */
export function generatorDir(manager = '/run'): string {
  return `${manager}/systemd/generator`;
}

/** Properties of a unit: org.freedesktop.systemd1(5). */
export async function unitProperties(
  unit: string,
  names: readonly string[],
  options: SystemctlOptions = {},
): Promise<ReadonlyMap<string, string>> {
  const { stdout } = await systemctl(['show', `--property=${names.join(',')}`, unit], options);
  return new Map([...stdout.matchAll(/^(\w+)=(.*)$/gm)].map(([, key = '', value = '']) => [key, value]));
}

/**
 * Which run of a unit this is: systemd.exec(5), $INVOCATION_ID. systemd leaves it there for the journal, so systemd
 * need not be asked. Undefined for a unit that is not running.
 *
 * @param manager as for {@link systemctl}.
 */
export function invocationOf(unit: string, manager = '/run'): string | undefined {
  try {
    return readlinkSync(`${manager}/systemd/units/invocation:${unit}`);
  } catch {
    return undefined;
  }
}

/** The unit that a process belongs to, by its control group: cgroups(7). */
export function unitOf(pid: number | 'self'): string | undefined {
  return unitIn(controlGroupsOf(pid), isUnified());
}

/**
 * The same in the text of `/proc/PID/cgroup`. With version 2 systemd uses no other hierarchy, although one of version 1 may be mounted
 * with its name, for containers of old. Pure.
 */
export function unitIn(text: string, unified: boolean): string | undefined {
  const own = unified ? /^0:/ : /^(?:\d+:name=systemd|0:):/;
  const line = text.split('\n').find((each) => own.test(each));
  return line?.split('/').findLast((part) => /\.(?:service|scope)$/.test(part));
}

/** Whether systemd has only the hierarchy of version 2. */
function isUnified(): boolean {
  return existsSync('/sys/fs/cgroup/cgroup.controllers');
}

/** One line of any length for each hierarchy; empty for a process that is gone. */
function controlGroupsOf(pid: number | 'self'): string {
  try {
    return readFileSync(`/proc/${pid}/cgroup`, 'utf8');
  } catch {
    return '';
  }
}

/**
 * Moves a process into the control groups of this one. systemd itself would only do that in units that are delegated.
 *
 * @throws {QemuError} `QEMU_IO`, `QEMU_NOT_PERMITTED`
 */
export function moveIntoOwnUnit(pid: number): void {
  for (const path of controlGroupFolders(readFileSync('/proc/self/cgroup', 'utf8'), isUnified())) {
    const file = join(path, 'cgroup.procs');
    if (!existsSync(file)) continue;
    try {
      writeFileSync(file, String(pid));
    } catch (error) {
      throw fileError(`move process ${pid} by`, file, error);
    }
  }
}

/** Folders of a unit's control groups in the text of `/proc/PID/cgroup`: cgroups(7), systemd's "Control Group APIs". */
export function controlGroupFolders(text: string, unified: boolean): string[] {
  // In a controller that systemd does not use, every process is in the root group.
  return [...text.matchAll(/^\d+:([^:]*):(.*\.(?:service|scope))$/gm)].map(([, controllers = '', path = '']) => {
    if (controllers === '') return join('/sys/fs/cgroup', unified ? '' : 'unified', path);
    return join('/sys/fs/cgroup', controllers.replace(/^name=/, ''), path);
  });
}
