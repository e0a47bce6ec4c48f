import { errorCode, QemuError } from '../../base/errors.ts';
import type { OnProgress } from '../../base/progress.ts';
import type { MachineConfig } from '../../config/types.ts';
import { sizeOf } from '../../system/files/log/log-file.ts';
import type { Allocation } from '../allocation.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { withControl, withOwnMonitor } from '../control/control-port.ts';
import { awaitGuest, letGo, moveSocket, untilArrived } from '../move/arrival.ts';
import { removeMove, writeMove } from '../move/move-record.ts';
import { notTaken } from '../move/not-taken.ts';
import { requireStill } from '../move/require-still.ts';
import { featureWords, processorDifference } from '../move/same-processor.ts';
import { type Sent, sendGuest } from '../move/send-guest.ts';
import { type Step, type StepOptions, whileThere } from '../move/while-there.ts';
import { requireAsStarted } from '../plug/as-started.ts';
import { writeRecord } from '../run/record.ts';
import type { Arriving } from '../start/launch-with.ts';
import type { Prepared } from '../start/prepare.ts';
import { startBeside } from '../start/start.ts';
import { doWork } from '../work/do-work.ts';
import { interimHost } from './interim.ts';
import { handOver, LIVE_KIND, type LiveData } from './live-work.ts';
import { putAside, secondOf } from './second-qemu.ts';

/** What the second QEMU of a machine is, and what is known of the first one. */
export interface Hop {
  readonly data: LiveData;
  readonly config: MachineConfig;
  readonly prepared: Prepared;
  readonly allocation: Allocation;
  readonly arriving: Arriving;
  /** Whether the model of the processor is what a version of QEMU can do. */
  readonly isProcessorOpen: boolean;
}

/** How a guest is taken along. */
export interface HopOptions {
  readonly rate: number | undefined;
  readonly downtimeMs: number;
  readonly timeoutMs: number;
  readonly onProgress: OnProgress | undefined;
  readonly signal: AbortSignal;
}

/** A guest that goes on in the second QEMU. */
export interface Hopped {
  readonly state: string;
  /** Undefined: it did not run. */
  readonly downtimeMs: number | undefined;
  readonly bytes: number;
}

/** For each answer of QEMU. */
const ANSWER_MS = 60_000;

/**
 * Has the guest of a machine go on in a second QEMU, which is the machine's then; the first one is gone. Under the
 * machine's lock.
 *
 * @throws {LaunchError | QemuError} the guest then goes on in the first one, unless `QEMU_COMMAND_FAILED` says that it was
 * handed over.
 */
export function hop(
  host: MachineContext,
  target: MachineRef,
  { data, config, prepared, allocation, arriving, isProcessorOpen }: Hop,
  options: HopOptions,
): Promise<Hopped> {
  const { signal } = options;
  const { files } = target;
  const limits = { timeoutMs: ANSWER_MS, signal };
  const noted = { id: data.id, role: 'source', peer: 'another QEMU' } as const;
  const second = secondOf(target);
  const logStart = sizeOf(files.log);
  const there = async <T>(step: Step<T>): Promise<T> => {
    try {
      return await whileThere(host, second, withOwnMonitor, limits, step);
    } catch (error) {
      throw errorCode(error) === 'QEMU_NOT_RUNNING' ? notTaken('The new QEMU', files, logStart) : error;
    }
  };
  const plan = { kind: LIVE_KIND, what: 'moving its guest to another QEMU', data: { ...data } };
  return doWork(
    host,
    target,
    plan,
    async () => {
      await requireAsStarted(target, signal);
      writeMove(files, { ...noted, phase: 'copying' });
      putAside(files);
      const started = await startBeside(data.isInterim ? interimHost(host) : host, second, config, prepared, {
        allocation,
        arriving,
        signal,
      });
      if (data.isInterim) writeRecord(second.files, { ...started, isInterim: true });
      if (isProcessorOpen) await requireSameProcessor(host, target, second, limits);
      await there((client, alive) => awaitGuest(client, second.files, data.wasRunning, alive));
      const sent = await send(host, target, second, options, () => writeMove(files, { ...noted, phase: 'switching' }));
      await there(untilArrived);
      await requireStill(host, target, limits);
      writeMove(files, { ...noted, phase: 'handed-over' });
      // Nothing interrupts that: there is no way back.
      const state = await goOn(host, target, data);
      const downtimeMs = sent.stoppedAtMs === undefined ? undefined : Math.round(Date.now() - sent.stoppedAtMs);
      removeMove(files);
      return { state, downtimeMs, bytes: sent.bytes };
    },
    signal,
  );
}

async function requireSameProcessor(
  host: MachineContext,
  first: MachineRef,
  second: MachineRef,
  limits: StepOptions,
): Promise<void> {
  const [before, after] = [
    await whileThere(host, first, withControl, limits, featureWords),
    await whileThere(host, second, withOwnMonitor, limits, featureWords),
  ];
  const difference = processorDifference(before, after);
  if (difference === undefined) return;
  throw new QemuError('QEMU_MACHINE_STATE', `Cannot restart machine "${first.longName}" live: ${difference}`, {
    hint: 'it goes on as before; set CPU= to a model with a name, which takes a restart',
  });
}

function send(
  host: MachineContext,
  target: MachineRef,
  second: MachineRef,
  { signal, ...options }: HopOptions,
  note: () => void,
): Promise<Sent> {
  return whileThere(host, target, withControl, { timeoutMs: ANSWER_MS, signal }, (client, alive) =>
    sendGuest(client, {
      ...options,
      uri: `unix:${moveSocket(second.files)}`,
      beforeStop: (version) => {
        note();
        const message = `QEMU ${version} without KVM cannot send the memory of a guest that runs: it stands still until all of it is there`;
        host.notify({ level: 'info', machine: target.longName, message });
      },
      beforeSwitch: async () => note(),
      signal: alive.signal,
    }),
  );
}

async function goOn(host: MachineContext, target: MachineRef, data: LiveData): Promise<string> {
  try {
    await handOver(host, target, data);
    return await whileThere(host, target, withOwnMonitor, { timeoutMs: ANSWER_MS }, (client, alive) =>
      letGo(client, data.wasRunning, alive),
    );
  } catch (error) {
    if (!(error instanceof QemuError)) throw error;
    const message = `The guest of machine "${target.longName}" was handed over to another QEMU, but does not run there: ${error.message}`;
    throw new QemuError('QEMU_COMMAND_FAILED', message, { cause: error.cause });
  }
}
