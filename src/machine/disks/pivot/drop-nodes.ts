import { QemuError } from '../../../base/errors.ts';
import type { Domain } from '../../../domain/domain.ts';
import type { ExecuteOptions } from '../../../qmp/command.ts';

/**
 * Removes nodes that nothing uses any more: those above others first. Nodes of `-drive` go by themselves, so one that
 * is gone, or still in use, is no error.
 */
export async function dropNodes(
  domain: Domain | undefined,
  nodes: readonly string[],
  options: ExecuteOptions,
): Promise<void> {
  for (const node of domain === undefined ? [] : nodes) {
    try {
      await domain?.run('blockdev-del', { 'node-name': node }, options);
    } catch (error) {
      if (!(error instanceof QemuError) || error.code !== 'QEMU_QMP_REFUSED') throw error;
    }
  }
}
