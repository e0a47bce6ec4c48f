import { QemuError } from '../../errors.ts';
import { findProgram, run } from '../../system/exec.ts';

/** One program to run after files were put in place or taken away. */
export interface Step {
  readonly file: string;
  readonly args: readonly string[];
}

/** What makes an installation known to the host: user, folders, units, init script. */
export function registerSteps(systemd: boolean): Step[] {
  const step = (file: string, ...args: readonly string[]): Step => ({ file, args });
  // Hosts without systemd have no sysusers.d(5) either.
  const user = findProgram('systemd-sysusers') === undefined ? step('sh', '-c', MAKE_USER) : step('systemd-sysusers');
  const folders = step(
    'systemd-tmpfiles',
    '--create',
    '--prefix=/run/qemu',
    '--prefix=/var/lib/qemu',
    '--prefix=/var/log/qemu',
  );
  if (systemd)
    return [
      user,
      folders,
      step('systemctl', 'daemon-reload'),
      step('systemctl', '--quiet', 'enable', 'qemu.target'),
      step('systemctl', 'start', 'qemu-reload.path'),
    ];
  return [user, folders, step('update-rc.d', 'qemu-init', 'defaults')];
}

/** The same as qemu-init.sysusers.conf. */
const MAKE_USER = `set -e
groupadd --system --force kvm
groupadd --system --force qemu-admin
id -u qemu >/dev/null 2>&1 || useradd --system --user-group --home-dir /var/lib/qemu --no-create-home \\
  --shell /usr/sbin/nologin --comment 'QEMU machines' qemu
usermod --append --groups kvm qemu`;

/** The other way round, for what has to be done while the files are still there. */
export function unregisterSteps(systemd: boolean): Step[] {
  return systemd
    ? [
        { file: 'systemctl', args: ['stop', 'qemu-reload.path'] },
        { file: 'systemctl', args: ['--quiet', 'disable', 'qemu.target'] },
      ]
    : [{ file: 'update-rc.d', args: ['-f', 'qemu-init', 'remove'] }];
}

/**
 * Runs steps whose programs are there; a host may do without any of them.
 *
 * @throws {QemuError} `QEMU_COMMAND_FAILED` with what the program said.
 */
export async function runSteps(steps: readonly Step[], signal: AbortSignal): Promise<void> {
  for (const { file, args } of steps) {
    if (findProgram(file) === undefined) continue;
    const { exitCode, stderr } = await run(file, args, { timeoutMs: STEP_TIMEOUT_MS, signal });
    if (exitCode === 0) continue;
    throw new QemuError('QEMU_COMMAND_FAILED', `"${[file, ...args].join(' ')}" failed: ${stderr.trim()}`);
  }
}

const STEP_TIMEOUT_MS = 90_000;
