import { QemuError } from '../../base/errors.ts';
import { shellCommand } from '../../config/text/shell-words.ts';
import type { MachineConfig } from '../../config/types.ts';
import { addUser, localUser, lookUpUser, type User } from '../../system/users.ts';

type OwnedConfig = Pick<MachineConfig, 'runAs' | 'ownUser' | 'longName'>;

/** What the entry of a machine's own user says in passwd(5), by which it is known again. */
export function ownUserComment(longName: string): string {
  return `QEMU machine ${longName}`;
}

/**
 * The user of a machine with RUNAS=auto, which is made when there is none yet. Only for root.
 *
 * @throws {QemuError} `QEMU_CONFIG_INVALID` when the name is that of a person or of something else, and what {@link
 * addUser} throws.
 */
export async function ensureOwnUser({ runAs, ownUser, longName }: OwnedConfig): Promise<User | undefined> {
  if (!ownUser || runAs === undefined) return undefined;
  const user = localUser(runAs) ?? (await lookUpUser(runAs)) ?? (await addUser(runAs, ownUserComment(longName)));
  if (!/\/(?:nologin|false)$/.test(user.shell)) {
    throw new QemuError('QEMU_CONFIG_INVALID', `User "${runAs}" can log in, so RUNAS=auto does not use it`, {
      hint: 'set RUNAS to another user',
    });
  }
  if (user.comment === ownUserComment(longName)) return user;
  const claim = shellCommand('usermod', '--comment', ownUserComment(longName), runAs);
  throw new QemuError(
    'QEMU_CONFIG_INVALID',
    `User "${runAs}" exists, but is not marked as the user of machine "${longName}"`,
    {
      hint: `if it is for this machine only: ${claim}; otherwise set RUNAS to another user`,
    },
  );
}
