import { QemuError } from '../../base/errors.ts';
import { asText } from '../../base/guards.ts';
import { Domain } from '../../domain/domain.ts';
import { parseJobId } from '../../domain/job-id.ts';
import { loadMachineConfig } from '../load-config.ts';
import type { Settled, WorkKind } from '../work/work-kind.ts';
import { stoppedFor } from './leftover.ts';
import { repairLeaks } from './repair-leaks.ts';
import { finishRevert, undoRevert } from './revert-disks.ts';

/** A revert that was interrupted is ended; when that cannot be, all disks are what they were before it. */
export const REVERT_KIND: WorkKind = {
  settle: async (leftover) => {
    const { host, target, record, client, cancel } = leftover;
    const name = asText(record.data['name']);
    if (record.data['hasBegun'] !== true) return { outcome: 'undone', detail: stoppedFor(leftover)[0] };
    if (client) return cancel ? { outcome: 'undone' } : ofMemory(new Domain(client, target.longName));
    const machine = { host, target, config: loadMachineConfig(target.configPath, host.paths.defaultsFile) };
    if (cancel) {
      // Who gave up has done this, unless it was that which failed.
      await undoRevert(machine);
      return { outcome: 'undone', detail: stoppedFor(leftover)[0] };
    }
    try {
      await finishRevert(machine, name);
      await repairLeaks(host, machine.config);
      return { outcome: 'finished', detail: stoppedFor(leftover)[0] };
    } catch (error) {
      if (!(error instanceof QemuError) || error.code !== 'QEMU_COMMAND_FAILED') throw error;
      await undoRevert(machine);
      await repairLeaks(host, machine.config);
      return { outcome: 'undone', detail: error.message };
    }
  },
};

/** QEMU ends it by itself, and then answers again. */
async function ofMemory(domain: Domain): Promise<Settled> {
  for (const job of await domain.jobs()) {
    if (parseJobId(job.id)?.action !== 'snapshot-load') continue;
    if (!job.isOver) return { outcome: 'running' };
    await job.dismiss();
    if (job.error !== undefined) return { outcome: 'undone', detail: job.error };
  }
  return { outcome: 'finished' };
}
