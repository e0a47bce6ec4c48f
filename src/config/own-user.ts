import { createHash } from 'node:crypto';

/** The value of `RUNAS=` that gives a machine a user that no other machine has. */
export const OWN_USER = 'auto';

/** Longest name of a user: useradd(8). */
const MOST_CHARACTERS = 31;
const PREFIX = 'qi-';
const HASH_CHARACTERS = 10;

/** Configuration folder of the scope whose users have plain names. */
const SYSTEM_ETC_DIR = '/etc/qemu';

/**
 * Name of the user that a machine has for itself: `qi-web`. A name that is too long, or has characters that are not for
 * users, is cut and gets a hash; so does the name of a machine of another configuration folder, which is another machine.
 *
 * @param etcDir configuration folder of the scope.
 */
export function ownUserName(longName: string, etcDir: string): string {
  const scope = etcDir === SYSTEM_ETC_DIR ? '' : etcDir;
  const plain = `${PREFIX}${longName}`;
  const isPlain = /^[a-z0-9_-]+$/.test(longName) && !HASHED.test(longName) && plain.length <= MOST_CHARACTERS;
  if (isPlain && scope === '') return plain;
  const hash = createHash('sha256').update(`${longName}\0${scope}`).digest('hex').slice(0, HASH_CHARACTERS);
  const readable = longName.toLowerCase().replaceAll(/[^a-z0-9_-]/g, '-');
  return `${PREFIX}${readable.slice(0, MOST_CHARACTERS - PREFIX.length - HASH_CHARACTERS - 1)}_${hash}`;
}

/** What a name with a hash ends in: no plain one may. */
const HASHED = /_[0-9a-f]{10}$/;
