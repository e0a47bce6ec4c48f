import { QemuError } from '../../base/errors.ts';
import { findProgram, run } from '../../system/process/exec.ts';
import type { InitSystem } from '../../system/services/init-system.ts';

/** One program to run after files were installed or removed. */
export interface Step {
  readonly file: string;
  readonly args: readonly string[];
  /** Whether to ignore its exit status. */
  readonly anyStatus?: boolean;
}

/** Steps that make an installation known to the host: user, folders, units, init script. */
export function registerSteps(init: InitSystem): Step[] {
  const has = (file: string): boolean => findProgram(file) !== undefined;
  // Hosts without systemd may lack sysusers.d(5) and tmpfiles.d(5), too.
  const user = has('systemd-sysusers') ? step('systemd-sysusers') : step('sh', '-c', MAKE_USER);
  const folders = has('systemd-tmpfiles')
    ? step('systemd-tmpfiles', '--create', ...FOLDERS.map((path) => `--prefix=${path}`))
    : step('install', '-d', '-m', '0711', ...FOLDERS);
  return [user, folders, ...ENABLE[init]];
}

function step(file: string, ...args: readonly string[]): Step {
  return { file, args };
}

/** The same as in qemu-init.tmpfiles.conf. */
const FOLDERS = ['/run/qemu-init', '/var/lib/qemu-init', '/var/log/qemu-init'];

const ENABLE: Readonly<Record<InitSystem, readonly Step[]>> = {
  systemd: [
    step('systemctl', 'daemon-reload'),
    step('systemctl', '--quiet', 'enable', 'qemu.target'),
    step('systemctl', 'start', 'qemu-reload.path', 'qemu-trim.timer', 'qemu-backup.target'),
    // A start of a machine starts it too, but that of a machine that runs already may have been before the unit was there.
    step('systemctl', '--no-block', 'start', 'qemu-strays.service'),
  ],
  openrc: [step('rc-update', '--quiet', 'add', 'qemu-init', 'default')],
  sysv: [step('update-rc.d', 'qemu-init', 'defaults')],
};

/** The same as qemu-init.sysusers.conf. */
const MAKE_USER = `set -e
groupadd --system --force qemu
groupadd --system --force kvm
groupadd --system --force qemu-admin
id -u qemu >/dev/null 2>&1 || useradd --system --gid qemu --home-dir /var/lib/qemu-init --no-create-home \\
  --shell /usr/sbin/nologin --comment 'QEMU machines' qemu
usermod --append --groups kvm qemu
id -u qemu-web >/dev/null 2>&1 || useradd --system --user-group --home-dir / --no-create-home \\
  --shell /usr/sbin/nologin --comment 'Page of QEMU machines' qemu-web`;

/** The other way round, for what has to be done while the files are still there. */
export function unregisterSteps(init: InitSystem): readonly Step[] {
  return DISABLE[init];
}

/** What an administrator may have enabled: nothing may listen for programs that are gone, or be enabled by a later installation. */
const BY_REQUEST = ['qemu-web.socket', 'qemu-web.service', 'qemu-web-control.socket', 'qemu-metrics.timer'];

const DISABLE: Readonly<Record<InitSystem, readonly Step[]>> = {
  systemd: [
    step('systemctl', 'stop', 'qemu-reload.path', 'qemu-trim.timer', 'qemu-backup.target'),
    step('systemctl', '--quiet', 'disable', 'qemu.target'),
    // An older installation has not all of these.
    { ...step('systemctl', 'stop', 'qemu-strays.service'), anyStatus: true },
    ...BY_REQUEST.map((unit) => ({ ...step('systemctl', '--quiet', 'disable', '--now', unit), anyStatus: true })),
  ],
  // It fails for each runlevel that does not have the service.
  openrc: [{ ...step('rc-update', '--quiet', '--all', 'delete', 'qemu-init'), anyStatus: true }],
  sysv: [step('update-rc.d', '-f', 'qemu-init', 'remove')],
};

/**
 * Runs those steps whose programs exist; a host may lack any of them.
 *
 * @throws {QemuError} `QEMU_COMMAND_FAILED` with the program's messages.
 */
export async function runSteps(steps: readonly Step[], signal: AbortSignal): Promise<void> {
  for (const { file, args, anyStatus = false } of steps) {
    if (findProgram(file) === undefined) continue;
    const { exitCode, stderr } = await run(file, args, { timeoutMs: STEP_TIMEOUT_MS, signal });
    if (exitCode === 0 || anyStatus) continue;
    throw new QemuError('QEMU_COMMAND_FAILED', `"${[file, ...args].join(' ')}" failed: ${stderr.trim()}`);
  }
}

const STEP_TIMEOUT_MS = 90_000;
