import { QemuError } from '../../base/errors.ts';
import type { ShareConfig } from '../../config/device-config.ts';
import type { MachineConfig } from '../../config/types.ts';
import { run } from '../../system/process/exec.ts';
import { findFolder } from '../../system/trust/own-folder.ts';
import { prefixOf, type RunAs } from '../start/run-as.ts';

/*
 * A folder is opened by the program that shares it, with the rights of the machine's user, and by its path, which
 * another user may be able to change in that moment. So each is compared afterwards with what is found without the
 * links of others, before the guest has done anything with it.
 */

/**
 * Finds the folder of a share. The machine's user may have made links on the way: they lead only where it may go itself.
 *
 * @returns its identity.
 * @throws {QemuError} as {@link findFolder}.
 */
export function sharedFolder({ path }: ShareConfig, user: Pick<RunAs, 'uid'> | undefined): string {
  return findFolder(path, user ? [user.uid] : []);
}

/**
 * Checks that a process has locked itself into the folder of a share.
 *
 * @throws {QemuError} `QEMU_NOT_PERMITTED` when it is another one, and as {@link sharedFolder}.
 */
export async function checkRoot(
  config: MachineConfig,
  share: ShareConfig,
  user: RunAs | undefined,
  pid: number,
): Promise<void> {
  const seen = await identities(config, user, ['stat', '-L', '-c', '%d:%i', `/proc/${pid}/root`]);
  demand(seen, share, user);
}

/**
 * Checks that QEMU has opened the folders of the shares with 9p.
 *
 * @throws {QemuError} as {@link checkRoot}.
 */
export async function checkOpened(config: MachineConfig, user: RunAs | undefined, pid: number): Promise<void> {
  const shares = config.shares.filter(({ driver }) => driver === '9p');
  if (shares.length === 0) return;
  const look = ['sh', '-c', 'stat -L -c %d:%i /proc/"$0"/fd/* 2>/dev/null', String(pid)];
  const seen = await identities(config, user, look);
  for (const share of shares) demand(seen, share, user);
}

/** In a unit, root itself may not look at the processes of the machine's user. */
async function identities(
  config: MachineConfig,
  user: RunAs | undefined,
  command: readonly string[],
): Promise<ReadonlySet<string>> {
  const [program = '', ...args] = [...prefixOf(config, user), ...command];
  const { stdout } = await run(program, args);
  return new Set(stdout.trim().split('\n'));
}

function demand(seen: ReadonlySet<string>, share: ShareConfig, user: RunAs | undefined): void {
  if (seen.has(sharedFolder(share, user))) return;
  const message = `Cannot share "${share.path}": another folder was put there while the machine was being started`;
  throw new QemuError('QEMU_NOT_PERMITTED', message, { hint: 'no other user may write to the folder above it' });
}
