import { errorCode, QemuError } from '../../base/errors.ts';
import type { Device, Part } from '../argv/description.ts';
import type { ArgvRequest } from '../argv/request.ts';
import { queryState } from '../control/query-state.ts';
import { describeState } from '../control/run-state.ts';
import { claimImages, noteImages, refuseStorageInUse } from '../start/use-images.ts';
import type { FoundImages } from '../storage/images.ts';
import { type JobNodes, refuseDisksOfJobs } from './block-jobs.ts';
import { bootOrderOf, type Difference, findDifference } from './difference.ts';
import { doSimple, type PlugContext, plugIn, removeLeftovers, setBootOrder, takeOut } from './execute.ts';
import { Ledger } from './ledger.ts';
import { type LeavingDisk, refuseMounted } from './mounted.ts';
import { observe } from './observe.ts';
import type { KeyFate, Step } from './plan.ts';
import { lookInside } from './reality.ts';
import type { Running } from './running.ts';
import type { Texts } from './texts.ts';

/** A machine that runs and what it is to become. */
export interface ConvergeContext extends PlugContext {
  readonly request: ArgvRequest;
  readonly images: FoundImages;
  /** Keys that are changed; undefined: all that are different. */
  readonly only: ReadonlySet<string> | undefined;
  /** Why disks can be neither plugged in nor taken out now. */
  readonly work: QemuError | undefined;
}

type StepOf<D extends Step['do']> = Extract<Step, { readonly do: D }>;

/**
 * Makes a machine what it is to be: looks at what it is, plans all steps, and does them only when none of them needs a
 * restart.
 *
 * @param releaseMs how long the guest has to release devices, all together.
 * @returns the keys whose new values are in use.
 * @throws {QemuError} as `reloadMachine`.
 */
export async function converge(
  context: ConvergeContext,
  noted: Running,
  releaseMs: number,
): Promise<{ readonly applied: readonly string[] }> {
  const reality = await lookInside(context.client, context);
  const { running, leftovers } = observe(noted, reality);
  const found = await findDifference(context.host, context.request, running, { ...reality, pid: context.process.pid });
  const difference = restrict(found, context.only);
  refuseRestarts(context, difference.keys);
  tellWhatMayGo(context, running, found);
  await refuseStandingGuest(context, difference.steps);
  await refuseMounted(context, leavingDisks(difference.steps), releaseMs / 3);
  const ledger = new Ledger(context.target.files, context.process, running);
  if (leftovers.length > 0) {
    await removeLeftovers(context, leftovers);
    ledger.write();
  }
  if (difference.keys.length === 0 && difference.bootOrder.size === 0) return { applied: [] };
  await makeReady(context, difference, reality.jobs);
  const { late, failed } = await doSteps(context, difference, ledger, performance.now() + releaseMs);
  if (failed.length > 0) throw allOf(failed);
  await orderBoot(context, difference, ledger);
  if (late.length === 0) return { applied: difference.keys.map(({ key }) => key) };
  throw notReleased(context, late, releaseMs);
}

/** The part of a difference that is about some keys; devices that come may move others in the boot order. */
function restrict(difference: Difference, only: ReadonlySet<string> | undefined): Difference {
  if (only === undefined) return difference;
  const isMeant = ({ key }: { readonly key: string }): boolean => only.has(key);
  return { ...difference, keys: difference.keys.filter(isMeant), steps: difference.steps.filter(isMeant) };
}

function leavingDisks(steps: readonly Step[]): LeavingDisk[] {
  return steps.flatMap((step): LeavingDisk[] => {
    if (step.do !== 'unplug' || !step.key.startsWith('DSK')) return [];
    return [{ key: step.key, ids: devicesOf(step.parts).flatMap(({ id }) => id ?? []) }];
  });
}

/** What is at a USB port or a SCSI bus goes without the guest. */
function needsGuest({ bus }: Device): boolean {
  return bus !== 'usb.0' && bus !== 'scsi0.0';
}

/** A guest that stands still releases nothing: it would be waited for in vain. */
async function refuseStandingGuest(context: ConvergeContext, steps: readonly Step[]): Promise<void> {
  const keys = steps.flatMap((step) => {
    return step.do === 'unplug' && devicesOf(step.parts).some(needsGuest) ? [step.key] : [];
  });
  const { client, target } = context;
  const state = keys.length === 0 ? 'running' : await queryState(client, context);
  if (state === 'running') return;
  const message = `Cannot take ${keys.join(', ')} out of "${target.longName}": its guest has to release it, and is ${describeState(state)}`;
  const isPaused = state === 'paused' || state === 'prelaunch';
  throw new QemuError('QEMU_MACHINE_STATE', message, {
    hint: isPaused ? `nothing was done; first: qemu-init resume ${target.longName}` : 'nothing was done',
  });
}

function refuseRestarts({ target: { longName }, only }: ConvergeContext, keys: readonly KeyFate[]): void {
  const stuck = keys.filter(({ how }) => how === 'restart');
  if (stuck.length === 0) return;
  const reasons = new Map<string, string[]>();
  for (const { key, why = '' } of stuck) reasons.set(why, [...(reasons.get(why) ?? []), key]);
  const said = [...reasons].map(([why, names]) => `${names.join(', ')}${why && ` (${why})`}`).join(', ');
  throw new QemuError(
    'QEMU_NOT_IMPLEMENTED',
    `Cannot change ${said} of "${longName}" while it runs: nothing was done`,
    {
      // What is attached or detached is not in its file.
      hint: only
        ? `change its file, then restart it: qemu-init edit ${longName}`
        : `restart it: qemu-init restart ${longName}`,
    },
  );
}

/** A request to release a device cannot be taken back: one that is to stay may still go. */
function tellWhatMayGo({ host, target, only }: ConvergeContext, { leaving }: Running, { keys }: Difference): void {
  const changed = new Set(keys.map(({ key }) => key));
  for (const [key, since] of Object.entries(leaving)) {
    if (changed.has(key) || only?.has(key) === false) continue;
    const message = `its guest was asked to release ${key} at ${since}, and may still do so`;
    host.notify({ level: 'warning', machine: target.longName, message });
  }
}

/** What a start does before QEMU has the images and cards. */
async function makeReady(context: ConvergeContext, { steps }: Difference, jobs: JobNodes): Promise<void> {
  const { host, target, config, request, images, user, work } = context;
  const isAboutDisks = steps.some((step) => (step.do === 'plug' || step.do === 'unplug') && step.key.startsWith('DSK'));
  if (work !== undefined && isAboutDisks) throw work;
  const leaving = leavingDisks(steps).map(({ key }) => key);
  refuseDisksOfJobs(target.longName, leaving, jobs);
  const plugged = steps.filter((step) => step.do === 'plug').map(({ key }) => key);
  if (plugged.some((key) => key.startsWith('DSK'))) {
    refuseStorageInUse(host, config);
    noteImages(host, target, images);
    claimImages(host, config, user);
    tellSharedImages(context, new Set(plugged));
  }
  if (plugged.some((key) => key.startsWith('NIC'))) {
    await host.network.links(config, { lease: true, accelerator: request.accelerator });
  }
}

/** What is written to the image of another machine, its guest does not expect at its next start. */
function tellSharedImages({ host, config, target }: ConvergeContext, plugged: ReadonlySet<string>): void {
  const otherWith = host.otherWithDisk(config);
  for (const { index, file } of config.disks) {
    const key = `DSK${index}`;
    const other = plugged.has(key) ? otherWith(file) : undefined;
    if (other === undefined) continue;
    const message = `${key} "${file}" is also a disk of machine "${other}", which does not run`;
    host.notify({ level: 'warning', machine: target.longName, message });
  }
}

/** What could not be done. */
interface Undone {
  /** Keys of devices that the guest has not released. */
  readonly late: readonly string[];
  /** Why devices could not be plugged in. */
  readonly failed: readonly QemuError[];
}

/** Does all steps that can be done. @throws {QemuError} when none can any more, as without an answer of QEMU. */
async function doSteps(
  context: ConvergeContext,
  { steps, texts }: Difference,
  ledger: Ledger,
  deadline: number,
): Promise<Undone> {
  for (const step of steps) {
    if (step.do === 'plug' || step.do === 'unplug') continue;
    await doSimple(context, step);
    ledger.changed(step, texts);
  }
  const unplugs = steps.filter((step): step is StepOf<'unplug'> => step.do === 'unplug');
  const late = await unplugAll(context, unplugs, texts, ledger, deadline);
  const lost = new Set(late.flatMap(({ parts }) => devicesOf(parts).map(placeOf)));
  const lateKeys = new Set(late.map(({ key }) => key));
  const failed: QemuError[] = [];
  for (const step of steps) {
    if (step.do !== 'plug') continue;
    if (lateKeys.has(step.key) || devicesOf(step.parts).some((device) => lost.has(placeOf(device)))) {
      lateKeys.add(step.key);
      continue;
    }
    ledger.toCome(step, texts);
    // When it fails, the next command finds out what of it there is.
    try {
      await plugIn(context, step.parts);
    } catch (error) {
      if (!(error instanceof QemuError) || error.code !== 'QEMU_QMP_REFUSED') throw error;
      failed.push(error);
    }
  }
  return { late: [...lateKeys], failed };
}

function allOf(errors: readonly QemuError[]): QemuError {
  const [first] = errors;
  const hints = errors.flatMap(({ hint }) => hint ?? []);
  return new QemuError(first?.code ?? 'QEMU_QMP_REFUSED', errors.map(({ message }) => message).join('; '), {
    cause: first?.cause,
    hint: hints.length > 0 ? hints.join('; ') : undefined,
  });
}

/** Takes all devices out at the same time. Returns the steps whose devices are still there. */
async function unplugAll(
  context: ConvergeContext,
  steps: readonly StepOf<'unplug'>[],
  texts: Texts,
  ledger: Ledger,
  deadline: number,
): Promise<readonly StepOf<'unplug'>[]> {
  if (steps.length === 0) return [];
  const keys = steps.map(({ key }) => key);
  ledger.leaving(keys);
  const devices = steps.flatMap(({ parts }) => devicesOf(parts));
  const left = await takeOutAll(context, devices, keys, deadline);
  const isLate = ({ parts }: StepOf<'unplug'>): boolean => devicesOf(parts).some(({ id }) => left.has(id ?? ''));
  for (const step of steps) {
    if (isLate(step)) continue;
    await removeLeftovers(context, step.parts);
    ledger.gone(step, texts);
  }
  return steps.filter(isLate);
}

/** A guest that was asked goes on when the command is interrupted. */
async function takeOutAll(
  context: ConvergeContext,
  devices: readonly Device[],
  keys: readonly string[],
  deadline: number,
): Promise<ReadonlySet<string>> {
  try {
    return await takeOut(context, devices, deadline);
  } catch (error) {
    if (errorCode(error) !== 'QEMU_ABORTED') throw error;
    const message = `Interrupted: the guest of "${context.target.longName}" was asked to release ${keys.join(', ')}, and may still do so`;
    throw new QemuError('QEMU_ABORTED', message, { cause: context.signal?.reason });
  }
}

function devicesOf(parts: readonly Part[]): Device[] {
  return parts.filter((part): part is Device => part.kind === 'device');
}

function placeOf({ bus, addr }: Device): string {
  return `${bus} ${addr}`;
}

/** A device that has left the order gets −1, which is QEMU's word for none. */
async function orderBoot(context: PlugContext, { bootOrder, texts }: Difference, ledger: Ledger): Promise<void> {
  const { parts } = ledger.running;
  const before = bootOrderOf(parts);
  const order = parts.flatMap((part): [string, number][] => {
    if (part.kind !== 'device' || part.id === undefined) return [];
    const place = bootOrder.get(part.id) ?? (before.has(part.id) ? -1 : undefined);
    return place === undefined ? [] : [[part.id, place]];
  });
  if (bootOrder.size === 0 || order.length === 0) return;
  await setBootOrder(context, new Map(order));
  ledger.ordered(bootOrder, texts);
}

function notReleased({ target }: PlugContext, keys: readonly string[], releaseMs: number): QemuError {
  const seconds = Math.round(releaseMs / 1000);
  const what = keys.join(', ');
  return new QemuError(
    'QEMU_TIMEOUT',
    `The guest of "${target.longName}" has not released ${what} within ${seconds} s; it may still do so`,
    { hint: 'a guest that is not up yet, or has no driver, never does; when it is up, run the same command again' },
  );
}
