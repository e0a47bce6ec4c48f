import { errorCode, QemuError } from '../../base/errors.ts';
import type { MachineConfig } from '../../config/types.ts';
import type { MachineRef } from '../../machine/context.ts';
import { withOwnMonitor } from '../../machine/control/control-port.ts';
import { isSameFile } from '../../machine/disks/same-file.ts';
import { syncFile } from '../../machine/disks/target-file.ts';
import { awaitGuest, letGo, moveSocket, untilArrived } from '../../machine/move/arrival.ts';
import { MOVE_IN_KIND, type MoveInData } from '../../machine/move/move-in-work.ts';
import { removeMove, writeMove } from '../../machine/move/move-record.ts';
import { notTaken } from '../../machine/move/not-taken.ts';
import { disksSocket, endServing, makeImages, serveDisks } from '../../machine/move/receive-disks.ts';
import { type FeatureWords, featureWords, processorDifference } from '../../machine/move/same-processor.ts';
import { type Step, type StepOptions, whileThere } from '../../machine/move/while-there.ts';
import { exclusively } from '../../machine/run/run-lock.ts';
import { resolveRunAs } from '../../machine/start/run-as.ts';
import { runPostCommand, startForArrival } from '../../machine/start/start.ts';
import { doWork, type Work } from '../../machine/work/do-work.ts';
import { settleFirst } from '../../machine/work/settle-first.ts';
import { isThere } from '../../system/files/files.ts';
import { sizeOf } from '../../system/files/log/log-file.ts';
import { writeFileAtomic } from '../../system/files/write-file.ts';
import type { Paths } from '../../system/paths.ts';
import type { Machines } from '../machines.ts';
import { leaseMacsOf } from '../macs.ts';
import { registerMachine } from '../register.ts';
import { newTarget } from '../resolve.ts';
import { checkOffer, configThere, isKnownHere, wasHere, withMacs } from './check-offer.ts';
import { arrivingDisks, textWithNewDisks, withNewDisks } from './copied-cfg.ts';
import { makeFile } from './make-file.ts';
import type { MoveOffer } from './move-offer.ts';
import { missingRoot, placeName } from './places.ts';

/** A QEMU that waits for a guest, with what is done to it step by step. */
export interface Arrival {
  /** Where the guest is to be sent to. */
  readonly uri: string;
  /** Socket of the NBD server for the disks that are copied, each by its key in small letters; undefined: none are. */
  readonly disks: string | undefined;
  /** Waits until all that the disks were sent is on them. */
  readonly disksArrived: () => Promise<void>;
  /** Notes that the source may hand over from now on. */
  readonly switching: () => Promise<void>;
  /** Waits until all of the guest is there. */
  readonly arrived: () => Promise<void>;
  /** Notes that the guest is its own, and lets it go on. Returns its state. */
  readonly release: () => Promise<string>;
}

/** For each answer of QEMU. */
const ANSWER_MS = 60_000;

/** A place that a guest can come to. */
export interface Destination {
  /** For people; a place on another host also as a destination. */
  readonly name: string;
  /** How the record of a move names it: root folder on this host, or place on another one. */
  readonly reference: { readonly root?: string | undefined; readonly place?: string | undefined };
  /** All that is in the way of a guest there. */
  check(offer: MoveOffer, signal: AbortSignal | undefined): Promise<readonly string[]>;
  /**
   * Makes a machine that waits for the guest, and does `body` with it. When that throws, and the guest was not released,
   * nothing of it stays.
   */
  receive<T>(offer: MoveOffer, body: (arrival: Arrival) => Promise<T>, signal: AbortSignal): Promise<T>;
  /** Lets go of it; never throws. */
  close(): Promise<void>;
}

/** The machines of a scope of this host, as the place that a guest comes to. */
export class LocalDestination implements Destination {
  readonly #machines: Machines;
  readonly #root: string | undefined;
  readonly name: string;

  /** @param root its root folder, for a source on this host. */
  constructor(machines: Machines, root?: string) {
    this.#root = root;
    this.#machines = machines;
    this.name = placeName(machines.host.paths);
  }

  get reference(): { readonly root: string | undefined } {
    return { root: this.#root };
  }

  async close(): Promise<void> {}

  /** Whether it is that place. */
  hasPaths({ stateDir }: Paths): boolean {
    return isSameFile(this.#machines.host.paths.stateDir, stateDir);
  }

  #target({ name, shortName }: MoveOffer): MachineRef {
    const registered = this.#machines.list().find(({ longName }) => longName === name);
    return registered ?? newTarget(this.#machines.host.paths, name, shortName ?? name);
  }

  async check(offer: MoveOffer, signal: AbortSignal | undefined): Promise<readonly string[]> {
    const { host } = this.#machines;
    const missing = missingRoot(host.paths);
    if (missing !== undefined) return [missing];
    const target = this.#target(offer);
    await settleFirst(host, target);
    return checkOffer(host, target, offer, signal);
  }

  async receive<T>(offer: MoveOffer, body: (arrival: Arrival) => Promise<T>, signal: AbortSignal): Promise<T> {
    const { host } = this.#machines;
    const target = this.#target(offer);
    const wasAt = wasHere(target);
    const { id, wasRunning } = offer;
    const isKnown = wasAt !== undefined || isKnownHere(host, target, offer);
    const data: MoveInData = { id, wasRunning, wasAt, isKnown, hadState: isThere(target.files.stateDir) };
    const plan = { kind: MOVE_IN_KIND, what: `taking in its guest from ${offer.from}`, data: { ...data } };
    const { result, config, pid } = await exclusively(host, target, { purpose: 'receive', signal }, () =>
      doWork(
        host,
        target,
        plan,
        async (work) => {
          const noted = { id, role: 'destination', peer: offer.from, peerRecord: offer.sourceRecord } as const;
          writeMove(target.files, { ...noted, phase: 'copying' });
          const made = await this.#make(target, offer, work, isKnown);
          const logStart = sizeOf(target.files.log);
          const started = await startForArrival(host, target, made, offer.hardware, { signal });
          const limits = { timeoutMs: ANSWER_MS, signal };
          const there = async <S>(step: Step<S>, options: StepOptions = limits): Promise<S> => {
            try {
              return await whileThere(host, target, withOwnMonitor, options, step);
            } catch (error) {
              const isGone = errorCode(error) === 'QEMU_NOT_RUNNING';
              throw isGone ? notTaken(`The QEMU at ${this.name}`, target.files, logStart) : error;
            }
          };
          if (offer.features !== undefined) requireProcessor(target, offer.features, await there(featureWords));
          const disks = arrivingDisks(target, offer.disks);
          if (disks.length > 0) await there((client, alive) => serveDisks(client, target.files, disks, alive));
          await there((client, alive) => awaitGuest(client, target.files, wasRunning, alive));
          const done = await body({
            uri: `unix:${moveSocket(target.files)}`,
            disks: disks.length === 0 ? undefined : disksSocket(target.files),
            disksArrived: async () => {
              if (disks.length > 0) await there(endServing);
              for (const { file } of disks) await syncFile(file);
            },
            switching: async () => writeMove(target.files, { ...noted, phase: 'switching' }),
            arrived: () => there(untilArrived),
            release: async () => {
              writeMove(target.files, { ...noted, phase: 'released' });
              // Nothing interrupts that: there is no way back.
              return there((client, alive) => letGo(client, wasRunning, alive), { timeoutMs: ANSWER_MS });
            },
          });
          removeMove(target.files);
          return { result: done, config: made, pid: started.pid };
        },
        signal,
      ),
    );
    await runPostCommand(host, target, config, pid, undefined);
    return result;
  }

  /** Registers the machine, so that whatever becomes of this command the next one finds it. */
  async #make(target: MachineRef, offer: MoveOffer, work: Work, isThereAlready: boolean): Promise<MachineConfig> {
    const { host } = this.#machines;
    const { configPath, longName } = target;
    const disks = arrivingDisks(target, offer.disks);
    const before = configThere(host, target, offer);
    const config = withNewDisks(before, disks);
    if (!isThereAlready) {
      work.note({ partFiles: [{ path: configPath }] });
      try {
        makeFile(configPath, textWithNewDisks(offer.cfg, before, disks));
      } catch (error) {
        // Another one's: it stays.
        work.note({ partFiles: [] });
        throw error;
      }
      work.noteParts();
    }
    if (disks.length > 0) await makeImages(disks, target.files.stateDir, await resolveRunAs(config), work);
    if (offer.snapshots !== undefined) {
      writeFileAtomic(target.files.snapshots, offer.snapshots, 0o600, { durable: true });
    }
    await leaseMacsOf(host.paths, withMacs(config, offer), host.notify);
    if (!isThereAlready) await registerMachine(this.#machines, target.shortName ?? longName, configPath, '/');
    return config;
  }
}

/** Before anything is sent. */
function requireProcessor(
  { longName }: MachineRef,
  before: readonly (readonly [string, number])[],
  after: FeatureWords | undefined,
): void {
  const difference = processorDifference(new Map(before), after);
  if (difference === undefined) return;
  throw new QemuError('QEMU_MACHINE_STATE', `Cannot take in the guest of machine "${longName}": ${difference}`, {
    hint: 'it goes on as before; set CPU= to a model that both hosts have, which takes a restart',
  });
}
