import { realpathSync } from 'node:fs';
import type { DiskConfig } from '../../config/device-config.ts';
import type { MachineConfig } from '../../config/types.ts';
import type { MachinePaths, Paths } from '../../system/paths.ts';
import { findProgram, run } from '../../system/process/exec.ts';
import { hasCapability } from '../../system/process/process-rights.ts';
import { type Closed, closedTo, HOMES } from '../check/used-paths.ts';
import { diskChain } from '../storage/disk-chain.ts';
import type { RunAs } from './run-as.ts';

/** Separate mounts and System V IPC; what the host mounts later is visible. */
const UNSHARE = ['unshare', '--mount', '--ipc', '--propagation', 'slave', '--'];

/**
 * What is in front of the command line of a QEMU that runs as another user, and not in a unit, which does the same:
 * mounts and System V IPC of its own. Nothing where the caller may not make them, as in a unit and in most containers.
 *
 * @see privatePrefix
 */
export async function surroundingsPrefix(
  paths: Paths,
  config: MachineConfig,
  files: MachinePaths,
  user: Pick<RunAs, 'groups'> | undefined,
): Promise<string[]> {
  if (!user || !hasCapability('sys_admin') || findProgram('unshare') === undefined) return [];
  const [program = '', ...args] = UNSHARE;
  const { exitCode } = await run(program, [...args, 'true']);
  if (exitCode !== 0) return [];
  const own = [files.dir, files.stateDir, files.consoleLog, process.env['TMPDIR'] ?? ''];
  return privatePrefix(
    closedTo([{ config, realFiles: config.disks.flatMap((disk) => chainOf(paths, config.longName, disk)) }], own),
  );
}

/**
 * The program and its arguments. What cannot be mounted stays as it is: the user's rights are the border, this hides
 * what is open to every user. Pure.
 */
export function privatePrefix(closed: Closed): string[] {
  const mounts = [
    // A kernel older than 5.8 refuses the word, and would give the number to all of the host.
    'mount -t proc -o nosuid,nodev,noexec,hidepid=invisible proc /proc',
    ...(closed.homes
      ? HOMES.map((folder) => `[ ! -d ${folder} ] || mount -t tmpfs -o ro,mode=0755 none ${folder}`)
      : []),
    ...(closed.temporary ? ['mount -t tmpfs -o nosuid,nodev,mode=1777 none /tmp'] : []),
  ];
  return [...UNSHARE, 'sh', '-c', `{ ${mounts.join('; ')}; } 2>/dev/null; exec "$@"`, 'sh'];
}

/** The real paths of an image and of those that it rests on. */
function chainOf(paths: Paths, longName: string, disk: DiskConfig): string[] {
  try {
    return diskChain(paths, longName, disk).layers.flatMap((layer) =>
      layer.isRemote ? [] : [layer.file, real(layer.file)],
    );
  } catch {
    // It is missing, or not an image: QEMU reports more.
    return [];
  }
}

function real(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
