import { asArray, asRecord, asText } from '../../base/guards.ts';
import type { Domain } from '../../domain/domain.ts';

/**
 * Removes the dirty bitmaps of nodes: after a revert they would tell a backup nothing true, and QEMU refuses a revert
 * while there are any. The next backup is a full one.
 *
 * @returns how many there were.
 * @throws {QemuError} `QEMU_QMP_REFUSED` while a backup uses one.
 */
export async function removeBitmaps(domain: Domain, nodes: readonly string[]): Promise<number> {
  let count = 0;
  for (const each of asArray(await domain.run('query-named-block-nodes', { flat: true }))) {
    const node = asRecord(each);
    const nodeName = asText(node['node-name']);
    if (!nodes.includes(nodeName)) continue;
    for (const bitmap of asArray(node['dirty-bitmaps'])) {
      await domain.run('block-dirty-bitmap-remove', { node: nodeName, name: asText(asRecord(bitmap)['name']) });
      count += 1;
    }
  }
  return count;
}
