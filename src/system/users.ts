import { readFileSync } from 'node:fs';
import { QemuError } from '../errors.ts';
import { run } from './exec.ts';

/** A user of this host, passwd(5). */
export interface User {
  readonly name: string;
  readonly uid: number;
  /** Primary group. */
  readonly gid: number;
}

/**
 * The user with that name or number; users of a directory service are found through getent(1).
 *
 * @throws {QemuError} `QEMU_CONFIG_INVALID` when there is none.
 */
export async function findUser(name: string): Promise<User> {
  const local = userIn(readFileSync('/etc/passwd', 'utf8'), name);
  if (local) return local;
  const { stdout } = await run('getent', ['passwd', '--', name]);
  const found = userIn(stdout, name);
  if (found) return found;
  throw new QemuError('QEMU_CONFIG_INVALID', `There is no user "${name}" on this host`, {
    hint: `make one: useradd --system --groups kvm --shell /usr/sbin/nologin ${name}`,
  });
}

function userIn(passwd: string, name: string): User | undefined {
  for (const line of passwd.split('\n')) {
    const [login, , uid, gid] = line.split(':');
    if (uid === undefined || gid === undefined || (login !== name && !isNumber(name, uid))) continue;
    return { name: login ?? name, uid: Number(uid), gid: Number(gid) };
  }
  return undefined;
}

function isNumber(name: string, uid: string): boolean {
  return /^\d+$/.test(name) && Number(name) === Number(uid);
}

/** The name of a user of this host; the number when there is none. */
export function userName(uid: number): string {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((each) => each.split(':')[2] === String(uid));
  return line?.split(':')[0] ?? String(uid);
}
