import { QemuError } from '../../base/errors.ts';
import { shellCommand } from '../../config/text/shell-words.ts';
import { Domain } from '../../domain/domain.ts';
import { type MachineContext, type MachineRef, notRunning } from '../../machine/context.ts';
import { withControl, withOwnMonitor } from '../../machine/control/control-port.ts';
import { runningDisks } from '../../machine/disks/disk-access.ts';
import {
  DEFAULT_DOWNTIME_MS,
  DEFAULT_TIMEOUT_MS,
  type MigrateOptions,
  type MigrateResult,
} from '../../machine/move/migrate-result.ts';
import { finishMirrors, mirrorDisks, mirrorIds } from '../../machine/move/mirror-disks.ts';
import { leave, MOVE_OUT_KIND, type MoveOutData } from '../../machine/move/move-out-work.ts';
import { writeMove } from '../../machine/move/move-record.ts';
import { refuseMoved } from '../../machine/move/refuse-moved.ts';
import { requireStill } from '../../machine/move/require-still.ts';
import { type Sent, sendGuest } from '../../machine/move/send-guest.ts';
import { whileThere } from '../../machine/move/while-there.ts';
import { requireAsStarted } from '../../machine/plug/as-started.ts';
import { type Located, locate } from '../../machine/run/locate.ts';
import { exclusively } from '../../machine/run/run-lock.ts';
import { whileAlive } from '../../machine/run/while-alive.ts';
import { runStopHook } from '../../machine/stop/stop-hook.ts';
import { doWork } from '../../machine/work/do-work.ts';
import { settleFirst } from '../../machine/work/settle-first.ts';
import { Machines } from '../machines.ts';
import { type Arrival, type Destination, LocalDestination } from './destination.ts';
import type { MoveOffer } from './move-offer.ts';
import { makeOffer } from './offer.ts';
import { placeName } from './places.ts';

const ANSWER_MS = 60_000;
/** For the other end of an earlier move. */
const PEER_MS = 20_000;
const NEVER = new AbortController().signal;

/**
 * Moves a running machine to another place, while its guest goes on. The machine is registered there, and no longer here.
 *
 * @param destination `root:DIR` or `ssh://[USER@]HOST[:PORT][/ROOT]`.
 * @throws {QemuError} `QEMU_USAGE` for another destination; `QEMU_NOT_PERMITTED` when ssh may not log in there, `QEMU_NOT_INSTALLED` without ssh here or qemu-init there; `QEMU_NOT_RUNNING`; `QEMU_MACHINE_STATE` with all that is in
 * the way; `QEMU_COMMAND_FAILED`, `QEMU_TIMEOUT`, `QEMU_LOCKED`, `QEMU_ABORTED`: the guest then goes on here.
 */
export async function migrateMachine(
  machines: Machines,
  target: MachineRef,
  destination: string,
  options: MigrateOptions = {},
): Promise<MigrateResult> {
  const began = performance.now();
  const seconds = (): number => Math.round(performance.now() - began) / 1000;
  const { host } = machines;
  const there = await parseDestination(host, target, destination);
  const nothing = { destination: there.name, state: undefined, downtimeMs: undefined, transferredBytes: undefined };
  const whole = async (): Promise<MigrateResult> => {
    await settleFirst(host, target, PEER_MS);
    const located = locate(target.files);
    refuseMoved(target, 'move');
    if (located.kind !== 'alive') throw notRunning(target);
    const {
      offer,
      problems: here,
      left,
    } = await makeOffer(machines, target, located, {
      copyDisks: options.copyDisks === true,
      keepConfig: options.keepConfig === true,
      signal: options.signal,
    });
    const problems = [...new Set([...here, ...(await checkThere(there, offer, options))])];
    if (options.check === true) {
      return { ...nothing, outcome: problems.length === 0 ? 'possible' : 'impossible', problems, seconds: seconds() };
    }
    if (problems.length > 0) throw impossible(target, there.name, problems);
    for (const message of left) host.notify({ level: 'info', machine: target.longName, message });
    const moved = await move(machines, target, located, { there, offer, options });
    tellOldDisks(host, target, offer);
    return { ...nothing, ...moved, outcome: 'moved', problems: [], seconds: seconds() };
  };
  try {
    return await exclusively(host, target, { purpose: 'migrate', signal: options.signal }, whole);
  } finally {
    await there.close();
  }
}

async function parseDestination(host: MachineContext, target: MachineRef, words: string): Promise<Destination> {
  if (words.startsWith('ssh://')) {
    const { parseSshPlace } = await import('./ssh-place.ts');
    const place = parseSshPlace(words);
    const { RemoteDestination } = await import('./remote-destination.ts');
    return new RemoteDestination(place, host, target, placeName(host.paths));
  }
  const root = /^root:(\/.*)$/.exec(words)?.[1];
  if (root === undefined) {
    throw new QemuError('QEMU_USAGE', `"${words}" is not a place that a machine can move to`, {
      hint: 'give ssh://[USER@]HOST[:PORT][/ROOT], or root:DIR with the absolute path of a folder that is given to --root',
    });
  }
  const there = new LocalDestination(Machines.at(root, host.notify), root);
  if (there.hasPaths(host.paths)) throw new QemuError('QEMU_USAGE', `"${words}" is where the machine is`);
  return there;
}

/** That the tool, or its folder, is missing there is one more thing that is in the way. */
async function checkThere(
  there: Destination,
  offer: MoveOffer,
  { check, signal }: MigrateOptions,
): Promise<readonly string[]> {
  try {
    return await there.check(offer, signal);
  } catch (error) {
    const isMissing = error instanceof QemuError && MISSING.has(error.code);
    if (check !== true || !isMissing) throw error;
    return [error.message];
  }
}

const MISSING: ReadonlySet<string> = new Set(['QEMU_NOT_INSTALLED', 'QEMU_MACHINE_STATE']);

function impossible({ longName }: MachineRef, there: string, problems: readonly string[]): QemuError {
  return new QemuError('QEMU_MACHINE_STATE', `Cannot move machine "${longName}" to ${there}: ${problems.join('; ')}`, {
    hint: 'it goes on as before',
  });
}

/** They are worth nothing from now on, but only the user knows that they can go. */
function tellOldDisks(host: MachineContext, { longName }: MachineRef, { images, disks }: MoveOffer): void {
  const old = images.filter(({ key }) => disks.some((disk) => disk.key === key)).map(({ layers }) => layers[0]?.path);
  if (old.length === 0) return;
  const names = old.map((path) => `"${path ?? ''}"`).join(', ');
  host.notify({ level: 'info', machine: longName, message: `its old disks stay here, and can be removed: ${names}` });
}

interface Move {
  readonly there: Destination;
  readonly offer: MoveOffer;
  readonly options: MigrateOptions;
}

type Moved = Pick<MigrateResult, 'state' | 'downtimeMs' | 'transferredBytes'>;

async function move(
  machines: Machines,
  target: MachineRef,
  located: Extract<Located, { kind: 'alive' }>,
  { there, offer, options }: Move,
): Promise<Moved> {
  const { host } = machines;
  const { signal = NEVER, keepConfig = false } = options;
  const { id, wasRunning } = offer;
  const data: MoveOutData = { id, wasRunning, keepConfig, ...there.reference };
  const settings = machines.stopSettings(target);
  const result = await doWork(
    host,
    target,
    { kind: MOVE_OUT_KIND, what: `moving its guest to ${there.name}`, data: { ...data } },
    async (work) => {
      await requireAsStarted(target, signal);
      const jobs = mirrorIds(offer.disks);
      const noted = { id, role: 'source', peer: there.name } as const;
      writeMove(target.files, { ...noted, phase: 'copying' });
      return there.receive(
        offer,
        async (arrival) => {
          if (arrival.disks !== undefined) {
            work.note({ jobs });
            await copyDisks(host, target, { socket: arrival.disks, jobs }, options);
          }
          const sent = await send(host, target, arrival, { ...options, jobs }, () =>
            writeMove(target.files, { ...noted, phase: 'switching' }),
          );
          await arrival.arrived();
          await arrival.disksArrived();
          await requireStill(host, target, { timeoutMs: ANSWER_MS, signal });
          writeMove(target.files, { ...noted, phase: 'handed-over' });
          const state = await released(arrival, target, there);
          const downtimeMs = sent.stoppedAtMs === undefined ? undefined : Math.round(Date.now() - sent.stoppedAtMs);
          await end(host, target, keepConfig);
          return { state, downtimeMs, transferredBytes: sent.bytes };
        },
        signal,
      );
    },
    signal,
  );
  const hook = { isMoved: true };
  await runStopHook(host, target, settings, 'POSTSTOP', hook, located.process.pid);
  return result;
}

/** All of them, while the guest goes on. */
async function copyDisks(
  host: MachineContext,
  target: MachineRef,
  to: { readonly socket: string; readonly jobs: readonly string[] },
  { signal = NEVER, rate, onProgress }: MigrateOptions,
): Promise<void> {
  const located = locate(target.files);
  if (located.kind !== 'alive') throw notRunning(target);
  try {
    await whileAlive(located.process, signal, (alive) =>
      mirrorDisks(runningDisks(host, target, alive), { ...to, rate, onProgress, signal: alive }),
    );
  } catch (error) {
    throw !signal.aborted && locate(target.files).kind !== 'alive' ? notRunning(target) : error;
  }
}

function send(
  host: MachineContext,
  target: MachineRef,
  arrival: Arrival,
  options: MigrateOptions & { readonly jobs: readonly string[] },
  note: () => void,
): Promise<Sent> {
  const { signal = NEVER, onProgress, rate } = options;
  return whileThere(host, target, withControl, { timeoutMs: ANSWER_MS, signal }, (client, alive) =>
    sendGuest(client, {
      uri: arrival.uri,
      rate,
      downtimeMs: options.downtimeMs ?? DEFAULT_DOWNTIME_MS,
      timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
      beforeStop: (version) => {
        note();
        const message = `QEMU ${version} without KVM cannot send the memory of a guest that runs: it stands still until all of it is there`;
        host.notify({ level: 'info', machine: target.longName, message });
      },
      beforeSwitch: async (monitor, limits) => {
        await arrival.switching();
        note();
        if (options.jobs.length > 0) await finishMirrors(new Domain(monitor, target.longName), options.jobs, limits);
      },
      onProgress,
      signal: alive.signal,
    }),
  );
}

/** From here on the guest is the destination's, whatever happens. */
async function released(arrival: Arrival, { longName }: MachineRef, there: Destination): Promise<string> {
  try {
    return await arrival.release();
  } catch (error) {
    if (!(error instanceof QemuError)) throw error;
    // A line may have been cut after it.
    const how =
      there.reference.place === undefined ? 'but does not run there' : 'but it is not known that it runs there';
    const message = `The guest of machine "${longName}" was handed over to ${there.name}, ${how}: ${error.message}`;
    throw new QemuError('QEMU_COMMAND_FAILED', message, {
      cause: error.cause,
      hint: `see there, and start it there: ${shellCommand('qemu-init', 'status', longName)}`,
    });
  }
}

/** The guest is elsewhere: whatever its old QEMU does, it goes. */
async function end(host: MachineContext, target: MachineRef, keepConfig: boolean): Promise<void> {
  try {
    const limits = { timeoutMs: ANSWER_MS };
    await whileThere(host, target, withOwnMonitor, limits, (client) => leave(host, target, client, keepConfig));
  } catch (error) {
    if (!(error instanceof QemuError)) throw error;
    await leave(host, target, undefined, keepConfig);
  }
}
