import { snapshotsIn } from './snapshot-disks.ts';
import type { OpenImages } from './stopped-images.ts';

/** Deletes a snapshot from each image that has it. May be repeated. @throws {QemuError} `QEMU_QMP_REFUSED`. */
export async function deleteInside(
  { domain, disks }: Pick<OpenImages, 'domain' | 'disks'>,
  name: string,
): Promise<void> {
  const holders = snapshotsIn(disks).get(name);
  for (const { key, node } of disks) {
    if (!holders?.has(key)) continue;
    await domain.run('blockdev-snapshot-delete-internal-sync', { device: node, name }, { timeoutMs: DELETE_MS });
  }
}

/** Frees every cluster that nothing else uses. */
const DELETE_MS = 600_000;
