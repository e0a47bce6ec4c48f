import { join } from 'node:path';
import { QemuError } from '../../base/errors.ts';
import { letPass } from '../../system/secrets.ts';
import { leaveQemu } from '../backup/backup-work.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import type { Work } from '../work/do-work.ts';
import type { DiskAccess } from './access.ts';
import { bindMount } from './bind-mount.ts';
import { type Target, targetNodes } from './transaction.ts';

/** Whose disks are copied, and how they are reached. */
export interface Copying {
  readonly host: MachineContext;
  readonly target: MachineRef;
  readonly work: Work;
  readonly access: DiskAccess;
}

/** QEMU may be busy with a slow disk. */
const ANSWER_MS = 30_000;

/**
 * Lets QEMU open the files. Where it cannot reach them, as its user or in its unit, it gets their folder in a place of
 * its own.
 *
 * @returns that place.
 */
export async function openTargets(
  { host, target, work, access }: Copying,
  part: string,
  targets: readonly Target[],
): Promise<string | undefined> {
  const open = (place: string): Promise<void> =>
    access.visit(async (domain) => {
      for (const node of targets.flatMap((each) => targetNodes(each, place))) {
        await domain.run('blockdev-add', node, { timeoutMs: ANSWER_MS });
      }
    });
  try {
    await open(part);
    return undefined;
  } catch (error) {
    // In its unit a folder may be hidden, or read-only.
    const isClosed =
      error instanceof QemuError && /Permission denied|No such file|Read-only file system/.test(error.message);
    if (!isClosed || process.getuid?.() !== 0) throw error;
  }
  await access.visit((domain) => leaveQemu(domain, [], { targets: targets.map(({ id }) => id), bitmaps: [] }));
  const place = join(target.files.dir, 'backup');
  const message = `QEMU cannot reach "${part}": it gets it as "${place}" while the backup is made`;
  host.notify({ level: 'debug', machine: target.longName, message });
  work.note({ data: { ...work.record.data, mount: place } });
  if (access.user) letPass(target.files.dir, access.user.gid);
  try {
    await bindMount(part, place);
    await open(place);
    return place;
  } catch (cause) {
    throw new QemuError('QEMU_NOT_PERMITTED', `QEMU cannot reach "${part}"`, {
      cause,
      hint: 'let its user pass the folders above it (chmod o+x), or choose a folder that it can reach',
    });
  }
}
