import { QemuError } from '../../base/errors.ts';
import { shellCommand } from '../../config/text/shell-words.ts';
import type { MachineConfig } from '../../config/types.ts';
import { addUser, hasNoLogin, lookUpUser, namesOfUser, type User } from '../../system/users.ts';

type OwnedConfig = Pick<MachineConfig, 'runAs' | 'ownUser' | 'longName'>;

/** What the entry of a machine's own user says in passwd(5), by which it is known again. */
export function ownUserComment(longName: string): string {
  return `QEMU machine ${longName}`;
}

/**
 * The user of a machine with RUNAS=auto, which is made when there is none yet. Only for root.
 *
 * @throws {QemuError} as {@link existingOwnUser} and {@link addUser} do.
 */
export async function ensureOwnUser(config: OwnedConfig): Promise<User | undefined> {
  const { runAs, ownUser, longName } = config;
  if (!ownUser || runAs === undefined) return undefined;
  const existing = await existingOwnUser(config);
  if (existing) return existing;
  await addUser(runAs, ownUserComment(longName));
  // Another program may have made one of that name at the same moment.
  return existingOwnUser(config);
}

/**
 * The same; undefined when there is none yet.
 *
 * @throws {QemuError} `QEMU_CONFIG_INVALID` when the name is that of a person or of something else.
 */
export async function existingOwnUser({ runAs, ownUser, longName }: OwnedConfig): Promise<User | undefined> {
  const user = ownUser && runAs !== undefined ? await lookUpUser(runAs) : undefined;
  if (user === undefined || runAs === undefined) return undefined;
  const { comment, uid } = user;
  const hint = 'set RUNAS to another user';
  if (!hasNoLogin(user)) throw refused(`User "${runAs}" can log in, so RUNAS=auto does not use it`, hint);
  if (comment !== ownUserComment(longName)) {
    const claim = shellCommand('usermod', '--comment', ownUserComment(longName), runAs);
    const message = `User "${runAs}" exists, but is not marked as the user of machine "${longName}"`;
    throw refused(message, `if it is for this machine only: ${claim}; otherwise ${hint}`);
  }
  const other = namesOfUser(uid).find((name) => name !== runAs);
  if (other !== undefined) throw refused(`User "${runAs}" has the same UID as user "${other}" (${uid})`, hint);
  return user;
}

function refused(message: string, hint: string): QemuError {
  return new QemuError('QEMU_CONFIG_INVALID', message, { hint });
}
