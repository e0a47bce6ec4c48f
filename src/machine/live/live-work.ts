import { QemuError } from '../../base/errors.ts';
import { asNumber, asRecord, asText } from '../../base/guards.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { connectOwn } from '../control/own-monitor.ts';
import { letGo } from '../move/arrival.ts';
import { sourceStep } from '../move/decide.ts';
import { readMove, removeMove } from '../move/move-record.ts';
import { endRecordedHelpers } from '../run/helpers.ts';
import { locate } from '../run/locate.ts';
import { readRecord } from '../run/record.ts';
import { releaseSlot } from '../run/slots.ts';
import { whileAlive } from '../run/while-alive.ts';
import { cancelSending } from '../state/cancel-sending.ts';
import { SIGKILL_MS } from '../stop/stop-plan.ts';
import type { Leftover, Settled, WorkKind } from '../work/work-kind.ts';
import { interimName } from './interim.ts';
import {
  endAtOnce,
  findSecond,
  forgetSecond,
  makeItTheMachines,
  type ProcessId,
  putInPlace,
  secondFiles,
} from './second-qemu.ts';

/** The word in the record of the work. */
export const LIVE_KIND = 'restart-live';

/** What its record has to know. */
export interface LiveData {
  readonly id: string;
  readonly wasRunning: boolean;
  /** The second QEMU goes without ports and the like. */
  readonly isInterim: boolean;
  readonly first: ProcessId;
}

/**
 * A guest that was to go on in a second QEMU of its machine, and the command was killed, or gave up. Until it has noted
 * that it hands over, the guest is the first one's; from then on it is the second one's.
 */
export const LIVE_WORK: WorkKind = {
  settle: async (leftover) => {
    const { host, target, record } = leftover;
    const data = dataOf(record.data);
    const noted = readMove(target.files);
    // It was about to begin, or to end.
    if (noted === undefined) {
      const isOver = readRecord(target.files)?.pid !== data.first.pid;
      return { outcome: isOver ? 'finished' : 'undone' };
    }
    if (noted === 'damaged' || noted.id !== data.id) {
      return { outcome: 'undone', detail: 'nobody knows who owns its guest' };
    }
    if (sourceStep(noted.phase) === 'leave') {
      const isDone = readRecord(target.files)?.pid !== data.first.pid;
      await handOver(host, target, data);
      // A connection to the first one is of no use.
      const settled = await goOn({ ...leftover, client: isDone ? leftover.client : undefined }, data);
      removeMove(target.files);
      return settled;
    }
    const settled = await keep(leftover, data);
    await dropSecond(host, target, data);
    removeMove(target.files);
    return settled;
  },
};

async function goOn({ target, client, timeoutMs }: Leftover, { wasRunning }: LiveData): Promise<Settled> {
  const located = locate(target.files);
  if (located.kind !== 'alive') return { outcome: 'finished', detail: 'its new QEMU is gone: it can be started' };
  const state = await whileAlive(located.process, undefined, async (signal) => {
    if (client !== undefined) return letGo(client, wasRunning, { timeoutMs, signal });
    const own = await connectOwn(target.files, timeoutMs, signal);
    try {
      return await letGo(own, wasRunning, { timeoutMs, signal });
    } finally {
      await own.close();
    }
  });
  return { outcome: 'finished', detail: `its guest is ${state}` };
}

async function keep({ target, client, timeoutMs }: Leftover, { wasRunning }: LiveData): Promise<Settled> {
  const located = locate(target.files);
  if (client === undefined || located.kind !== 'alive') return { outcome: 'undone', detail: 'its QEMU is gone' };
  return whileAlive(located.process, undefined, async (signal) => {
    const state = await cancelSending(client, wasRunning, { timeoutMs, signal });
    return { outcome: 'undone', detail: `its guest is ${state}` };
  });
}

/**
 * Ends the first QEMU, and makes the second one the machine's. Its guest does not run yet. Safe to repeat.
 *
 * @throws {QemuError} `QEMU_STOP_FAILED` when the first one does not end.
 */
export async function handOver(host: MachineContext, target: MachineRef, data: LiveData): Promise<void> {
  const { files, longName } = target;
  if (!(await endAtOnce(data.first, SIGKILL_MS))) {
    const message = `The guest of machine "${longName}" has left QEMU (process ${data.first.pid}), which does not end`;
    throw new QemuError('QEMU_STOP_FAILED', message);
  }
  const before = makeItTheMachines(files);
  await endRecordedHelpers(before);
  if (!data.isInterim) await host.network.tearDown(interimName(longName));
}

/** Ends the second QEMU, whose guest has never run, with all that was made for it. Safe to repeat. */
export async function dropSecond(host: MachineContext, target: MachineRef, data: LiveData): Promise<void> {
  const { files, longName } = target;
  const second = findSecond(files, data.first);
  if (second) await endAtOnce(second, SIGKILL_MS);
  const record = readRecord(secondFiles(files));
  await endRecordedHelpers(record);
  // Of the first one these are other ones.
  await host.network.tearDown(data.isInterim ? interimName(longName) : longName);
  if (record?.slot !== undefined) releaseSlot(host, longName, record.slot);
  putInPlace(files);
  forgetSecond(files);
}

function dataOf(data: Readonly<Record<string, unknown>>): LiveData {
  const first = asRecord(data['first']);
  return {
    id: asText(data['id']),
    wasRunning: data['wasRunning'] === true,
    isInterim: data['isInterim'] === true,
    first: { pid: asNumber(first['pid']), startTime: asText(first['startTime']) },
  };
}
