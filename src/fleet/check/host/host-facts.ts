import { existsSync, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { QemuError } from '../../../base/errors.ts';
import type { Problem } from '../../../base/problem.ts';
import type { MachineConfig } from '../../../config/types.ts';
import { isMissingSession, NO_SESSION } from '../../../system/files/file-error.ts';
import type { Paths } from '../../../system/paths.ts';
import { probeKvm } from '../../../system/probe/kvm-probe.ts';
import { probeQemu } from '../../../system/probe/qemu-probe.ts';
import { findProgram } from '../../../system/process/exec.ts';
import { DEFAULT_PATH } from '../../../system/process/find-program.ts';
import { localUser } from '../../../system/users.ts';

/** Less than this and a host is about to run out, in bytes. */
const LITTLE_SPACE = 1024 ** 3;
/** A guest that writes to a full disk is paused. */
const NO_SPACE = 128 * 1024 ** 2;

/** QEMU and KVM, for each QEMU that a machine names. */
export async function checkQemu(
  configs: readonly MachineConfig[],
  paths: Paths,
  signal: AbortSignal,
): Promise<Problem[]> {
  const binaries = [...new Set(configs.map(({ targetArch }) => targetArch))];
  const findings: Problem[] = [];
  for (const binary of binaries.length > 0 ? binaries : [DEFAULT_QEMU]) {
    try {
      await probeQemu(binary, paths.probesDir, { signal });
      const { usable, reason } = await probeKvm(binary, paths.probesDir, { signal });
      // Without a machine yet, KVM is the first question about a new host.
      const isNew = configs.length === 0;
      const wanted = isNew || configs.some(({ targetArch, kvm }) => targetArch === binary && kvm !== 'off');
      if (wanted && !usable) {
        findings.push({
          severity: configs.some(({ targetArch, kvm }) => targetArch === binary && kvm === 'on') ? 'error' : 'warning',
          machine: undefined,
          message: 'KVM is not usable',
          detail: `${reason}; machines are emulated and many times slower`,
          hint: kvmHint(reason ?? ''),
        });
      }
    } catch (error) {
      if (signal.aborted || !(error instanceof QemuError)) throw error;
      const hint = error.hint ?? 'run it with --version and read its message';
      findings.push({
        severity: 'error',
        machine: undefined,
        message: `No QEMU "${binary}"`,
        detail: error.message,
        hint,
      });
    }
  }
  return findings;
}

/** If the probe names a group, membership is all that is missing. */
function kvmHint(reason: string): string {
  const group = /members of group "([^"]+)" may/.exec(reason)?.[1];
  if (group !== undefined) return `sudo usermod --append --groups ${group} "$USER", and log in again; or set KVM=off`;
  return 'enable virtualization in the firmware or, in a guest, nested virtualization on its host; or set KVM=off';
}

const DEFAULT_QEMU = 'qemu-system-x86_64';

/** The folder for run-time files of a user, without which no machine can be made or started. */
export function checkSession({ runDir }: Paths): Problem[] {
  if (!isMissingSession(runDir)) return [];
  const detail = `your folder for sockets and locks does not exist: "${dirname(runDir)}"`;
  return [{ severity: 'error', machine: undefined, message: 'No login session', detail, hint: NO_SESSION }];
}

/** Programs that the configuration needs, in addition to those for the network. */
export function checkPrograms(configs: readonly MachineConfig[]): Problem[] {
  const user = configs.find(({ runAs }) => runAs !== undefined);
  // An existing user need not be created.
  const toMake = configs.find(({ runAs, ownUser }) => ownUser && localUser(runAs ?? '') === undefined);
  return [...missing('setpriv', 'util-linux', user), ...missing('useradd', 'passwd', toMake)];
}

function missing(program: string, pack: string, config: MachineConfig | undefined): Problem[] {
  if (!config || findProgram(program, `${process.env['PATH'] ?? DEFAULT_PATH}:/usr/sbin:/sbin`) !== undefined)
    return [];
  const detail = `machine "${config.longName}" needs it`;
  const message = `Program "${program}" is missing`;
  return [{ severity: 'error', machine: undefined, message, detail, hint: `apt install ${pack}` }];
}

/** Space where machines write. */
export function checkSpace(configs: readonly MachineConfig[], paths: Paths): Problem[] {
  const images = configs.flatMap(({ disks }) =>
    disks.filter(({ readonly }) => !readonly).map(({ file }) => dirname(file)),
  );
  const folders = [paths.stateDir, paths.logDir, paths.runDir, ...images].filter((path) => existsSync(path));
  const byDevice = new Map(folders.map((path) => [statSync(path).dev, path]));
  return [...byDevice.values()].flatMap((path): Problem[] => {
    const { bavail, bsize } = statfsSync(path);
    const free = bavail * bsize;
    if (free >= LITTLE_SPACE) return [];
    return [
      {
        severity: free < NO_SPACE ? 'error' : 'warning',
        machine: undefined,
        message: `Little space in "${path}"`,
        detail: `${Math.floor(free / 1024 ** 2)} MiB are free; a guest whose image cannot grow is paused`,
        hint: 'free some space, or move images',
      },
    ];
  });
}
