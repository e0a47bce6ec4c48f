import { delay } from '../../../base/abort.ts';
import { QemuError } from '../../../base/errors.ts';
import { setKey } from '../../../config/text/edit-text.ts';
import { Domain } from '../../../domain/domain.ts';
import { listJobs } from '../../../domain/job.ts';
import type { ExecuteOptions } from '../../../qmp/command.ts';
import { editConfig } from '../../edit-config.ts';
import { removeParts } from '../../work/part-files.ts';
import type { Leftover, Settled, WorkKind } from '../../work/work-kind.ts';
import { writeWork } from '../../work/work-record.ts';
import { namedFile, noteDiskFile } from '../disk-line.ts';
import { diskNodes } from '../disk-nodes.ts';
import { isSameFile } from '../same-file.ts';
import { dropNodes } from './drop-nodes.ts';
import { releaseGuest } from './hold-guest.ts';
import { nextPivotStep, type Pivot, type PivotFacts, pivotOf } from './pivot-plan.ts';

/** A job in between two states leaves that within milliseconds, or when a slow disk has written. */
const PASSING_MS = 10_000;
const PAUSE_MS = 10;

/** Work that lets a disk go on in another image: `disk mirror`, `disk commit`, `disk convert`. */
export const PIVOT_WORK: WorkKind = {
  settle: async (leftover) => {
    const pivot = pivotOf(leftover.record);
    if (pivot === undefined) {
      removeParts(leftover.record.partFiles);
      return { outcome: 'undone' };
    }
    const settled = await settlePivot(leftover, pivot);
    if (leftover.client !== undefined) {
      const domain = new Domain(leftover.client, leftover.target.longName);
      await releaseGuest(domain, leftover.record, { timeoutMs: leftover.timeoutMs });
      const { data } = leftover.record;
      // Whoever holds it from now on does so on purpose.
      if (settled.outcome === 'running' && data['isHeld'] === true) {
        writeWork(leftover.target.files, { ...leftover.record, data: { ...data, isHeld: false } });
      }
    }
    return settled;
  },
};

/** Takes one step after the other, each on what is found then. */
async function settlePivot(leftover: Leftover, pivot: Pivot): Promise<Settled> {
  const { host, target, client, timeoutMs } = leftover;
  const limits = { timeoutMs };
  const domain = client && new Domain(client, target.longName);
  const deadline = performance.now() + PASSING_MS;
  let hasGivenUp = false;
  for (;;) {
    const job = domain && (await listJobs(domain, limits)).find(({ id }) => id === pivot.jobId);
    const named = namedFile(host, target, pivot.key);
    const facts: PivotFacts = {
      isRunning: domain !== undefined,
      job: job?.status,
      isActive: domain !== undefined && isSameFile(await activeFile(domain, pivot.key, limits), pivot.file),
      isNamed: named === undefined ? undefined : isSameFile(named, pivot.file),
      isGivenUp: pivot.isGivenUp || hasGivenUp,
      cancel: leftover.cancel,
    };
    switch (nextPivotStep(facts)) {
      case 'keep-new':
        await job?.dismiss(limits);
        await name(leftover, pivot, true);
        await dropNodes(domain, pivot.oldNodes, limits);
        removeParts(pivot.oldFiles);
        return { outcome: 'finished' };
      case 'keep-old':
        await job?.dismiss(limits);
        await name(leftover, pivot, false);
        await dropNodes(domain, pivot.newNodes, limits);
        removeParts(leftover.record.partFiles);
        return { outcome: 'undone', detail: job?.error };
      case 'leave':
        return { outcome: 'running', detail: percent(job?.done, job?.total) };
      case 'finalize':
        await job?.finalize(limits);
        break;
      case 'cancel':
        // Whoever goes on after this one must not take the other image: from now on they differ.
        writeWork(target.files, { ...leftover.record, data: { ...leftover.record.data, isGivenUp: true } });
        hasGivenUp = true;
        await job?.cancel(limits);
        break;
      case 'unknown':
        throw new QemuError('QEMU_IO', `Cannot tell which image "${target.configPath}" names for ${pivot.key}`, {
          hint: `it is "${pivot.file}" or the one before it; the file has to be readable again`,
        });
      case 'wait':
        if (performance.now() > deadline) {
          throw new QemuError('QEMU_TIMEOUT', `Job "${pivot.jobId}" is ${job?.status} and does not go on`);
        }
        await delay(PAUSE_MS);
        break;
    }
  }
}

async function activeFile(domain: Domain, key: string, limits: ExecuteOptions): Promise<string> {
  return (await diskNodes(domain, limits)).find((disk) => disk.key === key)?.layers[0].file ?? '';
}

/** Lets the machine's file name the image that is kept, when it does not. */
async function name({ host, target, record }: Leftover, { key, file, format }: Pivot, isNew: boolean): Promise<void> {
  const [edit] = record.cfgEdits;
  const value = isNew ? edit?.to : edit?.from;
  const isNamed = isSameFile(namedFile(host, target, key) ?? '', file) === isNew;
  if (!isNamed && value !== undefined) {
    await editConfig(host, target, { purpose: 'disk', change: (text) => setKey(text, key, value) });
  }
  if (isNew) noteDiskFile(host, target, { key, file, format });
}

function percent(done = 0, total = 0): string | undefined {
  return total > 0 ? `${Math.floor((100 * Math.min(done, total)) / total)} %` : undefined;
}
