import { randomBytes } from 'node:crypto';
import { QemuError } from '../base/errors.ts';

/** What all ids of our jobs begin with. */
const OWN = 'qi.';

/**
 * The id of a job, which contains everything a later command needs to know: `qi.mirror.dsk1.20260102`. QEMU takes
 * letters, digits, `-`, `.` and `_` (`id_wellformed`), so dots separate the parts.
 *
 * @param action `mirror`, `commit`, `backup` …
 * @param device the drive, such as `dsk1`.
 * @param word what makes it unique.
 * @throws {QemuError} `QEMU_USAGE` when a part is empty or has another character, or one of the first two has a dot.
 */
export function jobId(action: string, device: string, word: string): string {
  const id = `${OWN}${action}.${device}.${word}`;
  if (parseJobId(id)?.word === word) return id;
  throw new QemuError('QEMU_USAGE', `"${id}" is not a job id: its parts may contain letters, digits, - and _`);
}

/** The parts of an id as {@link jobId} makes it; undefined for a job that this package did not start. */
export function parseJobId(id: string): { action: string; device: string; word: string } | undefined {
  const [, action, device, word] = /^qi\.([\w-]+)\.([\w-]+)\.([\w.-]+)$/.exec(id) ?? [];
  return action && device && word ? { action, device, word } : undefined;
}

/** An id for a job whose caller gives none. */
export function newJobId(action: string, device: string): string {
  // QEMU calls nodes without a name `#block123`.
  return jobId(action, device.replaceAll(/[^\w-]+/g, '_'), randomBytes(4).toString('hex'));
}
