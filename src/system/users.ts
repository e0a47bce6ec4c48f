import { readFileSync, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { delay } from '../base/abort.ts';
import { QemuError } from '../base/errors.ts';
import { type ExecResult, run } from './process/exec.ts';
import { DEFAULT_PATH, findProgram } from './process/find-program.ts';

/** A user of this host, passwd(5). */
export interface User {
  readonly name: string;
  readonly uid: number;
  /** Primary group. */
  readonly gid: number;
  /** The comment field, usually the full name (GECOS). */
  readonly comment: string;
  readonly shell: string;
}

/**
 * The user with that name or number; users of a directory service are found through getent(1).
 *
 * @throws {QemuError} `QEMU_CONFIG_INVALID` when the user does not exist.
 */
export async function findUser(name: string): Promise<User> {
  const found = await lookUpUser(name);
  if (found) return found;
  throw new QemuError('QEMU_CONFIG_INVALID', `User "${name}" does not exist on this host`, {
    hint: `create it: useradd --system --groups kvm --shell /usr/sbin/nologin ${name}`,
  });
}

/** Like {@link findUser}, but undefined when the user does not exist. */
export async function lookUpUser(name: string): Promise<User | undefined> {
  const local = localUser(name);
  if (local) return local;
  const { stdout } = await run('getent', ['passwd', '--', name]);
  return userIn(stdout, name);
}

/** Like that, but only from `/etc/passwd`, which has the local users of this host. */
export function localUser(name: string): User | undefined {
  return userIn(readFileSync('/etc/passwd', 'utf8'), name);
}

/** Whether that user's shell ends at once: nologin(8). */
export function hasNoLogin({ shell }: Pick<User, 'shell'>): boolean {
  return /\/(?:nologin|false)$/.test(shell);
}

/** Group that the users of machines share; a file of a single machine is never open to it. */
export const MACHINES_GROUP = 'qemu';

/** The commands that create a group and a user without a home or login: groupadd(8), useradd(8). */
export function newUserCommands(name: string, comment: string): { readonly group: string[]; readonly user: string[] } {
  const account = ['--system', '--no-user-group', '--no-create-home', '--home-dir', '/nonexistent'];
  const shell = ['--shell', '/usr/sbin/nologin', '--comment', comment];
  return {
    group: ['groupadd', '--system', MACHINES_GROUP],
    user: ['useradd', ...account, ...shell, '--gid', MACHINES_GROUP, name],
  };
}

/**
 * Creates a user by {@link newUserCommands}, unless it exists.
 *
 * @throws {QemuError} `QEMU_NOT_INSTALLED` without useradd(8), `QEMU_COMMAND_FAILED` with what it printed.
 */
export async function addUser(name: string, comment: string): Promise<User> {
  const commands = newUserCommands(name, comment);
  if (groupId(MACHINES_GROUP) === undefined) await administer(commands.group);
  const { exitCode, stderr } = await administer(commands.user);
  const made = localUser(name);
  if (made) return made;
  throw new QemuError('QEMU_COMMAND_FAILED', `Cannot create user "${name}" (status ${exitCode}): ${stderr.trim()}`, {
    hint: `create it, or set RUNAS to another user: ${commands.user.join(' ')}`,
  });
}

/** Removes a user, whose primary group stays. @throws {QemuError} `QEMU_NOT_INSTALLED`, `QEMU_COMMAND_FAILED`. */
export async function removeUser(name: string): Promise<void> {
  const { exitCode, stderr } = await administer(['userdel', name]);
  if (exitCode !== 0) throw new QemuError('QEMU_COMMAND_FAILED', `Cannot remove user "${name}": ${stderr.trim()}`);
}

/** Only one program at a time can change the users, so wait for another one, such as a start at the same moment. */
async function administer([program = '', ...args]: readonly string[]): Promise<ExecResult> {
  const path = `${process.env['PATH'] ?? DEFAULT_PATH}:/usr/sbin:/sbin`;
  const file = findProgram(program, path);
  if (file === undefined) {
    throw new QemuError('QEMU_NOT_INSTALLED', `Cannot find the program "${program}", which RUNAS=auto needs`, {
      hint: 'apt install passwd, or set RUNAS to a user that you created',
    });
  }
  for (let tries = 1; ; tries++) {
    const result = await run(file, args, { timeoutMs: LONGEST_MS });
    if (result.exitCode === 0 || tries === MOST_TRIES || !/lock/i.test(result.stderr)) return result;
    await delay(PAUSE_MS);
  }
}

/** useradd(8) itself waits 15 s for the lock. */
const LONGEST_MS = 30_000;
const MOST_TRIES = 20;
const PAUSE_MS = 100;

/** Number of a group of `/etc/group`; undefined when there is none. */
export function groupId(name: string): number | undefined {
  return groups().find((group) => group.name === name)?.gid;
}

/** Groups of `/etc/group` that a user is a member of in addition to its primary one, in the order of the file. */
export function furtherGroups(user: string): number[] {
  return groups().flatMap(({ gid, members }) => (members.includes(user) ? [gid] : []));
}

function groups(): { readonly name: string; readonly gid: number; readonly members: readonly string[] }[] {
  const lines = readFileSync('/etc/group', 'utf8').split('\n');
  return lines.flatMap((line) => {
    const [name = '', , gid, members = ''] = line.split(':');
    return gid === undefined ? [] : [{ name, gid: Number(gid), members: members.split(',').filter(Boolean) }];
  });
}

/** The name of a group of this host; the number when there is none. */
export function groupName(gid: number): string {
  return groups().find((group) => group.gid === gid)?.name ?? String(gid);
}

/** The group whose members may open a file; undefined when the file is missing, or the group is root's. */
export function groupOfFile(path: string): number | undefined {
  const gid = statSync(path, { throwIfNoEntry: false })?.gid;
  return gid === 0 ? undefined : gid;
}

function userIn(passwd: string, name: string): User | undefined {
  for (const line of passwd.split('\n')) {
    const [login, , uid, gid, comment = '', , shell = ''] = line.split(':');
    if (uid === undefined || gid === undefined || (login !== name && !isNumber(name, uid))) continue;
    return { name: login ?? name, uid: Number(uid), gid: Number(gid), comment, shell };
  }
  return undefined;
}

function isNumber(name: string, uid: string): boolean {
  return /^\d+$/.test(name) && Number(name) === Number(uid);
}

/** Name of the calling user; the number of one who has no name, as in many containers. */
export function callerName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? '');
  }
}

/** The name of a user of this host; the number when there is none. */
export function userName(uid: number): string {
  return namesOfUser(uid)[0] ?? String(uid);
}

/** All names that `/etc/passwd` has for a number. */
export function namesOfUser(uid: number): string[] {
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n');
  return lines.flatMap((line) => {
    const [name = '', , number] = line.split(':');
    return number !== undefined && number !== '' && Number(number) === uid ? [name] : [];
  });
}

/** Whether a group of this host, group(5), has no members and is not the primary group of any user. */
export function isEmptyGroup(gid: number): boolean {
  const group = groups().find((each) => each.gid === gid);
  if (group === undefined || group.members.length > 0) return false;
  return !readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .some((line) => line.split(':')[3] === String(gid));
}
