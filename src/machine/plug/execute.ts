import { delay } from '../../base/abort.ts';
import { errorCode, QemuError } from '../../base/errors.ts';
import { asArray, asRecord, asText } from '../../base/guards.ts';
import type { MachineConfig } from '../../config/types.ts';
import type { QmpClient } from '../../qmp/client.ts';
import type { ExecuteOptions } from '../../qmp/command.ts';
import type { ProcessInfo } from '../../system/process/process.ts';
import type { Device, Part } from '../argv/description.ts';
import { renderCalls } from '../argv/render/qmp.ts';
import { changeMedium, withReason } from '../change/medium.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { hostNodes } from '../host-devices/host-nodes.ts';
import { whileLent } from '../host-devices/lend-nodes.ts';
import { applyLimits } from '../limits/apply-limits.ts';
import { giveKeys, type RunAs } from '../start/run-as.ts';
import { setVncPassword } from '../start/vnc-password.ts';
import { removeKeys, writeKeys } from '../storage/image-keys.ts';
import type { Step } from './plan.ts';
import { lookInside, type Reality } from './reality.ts';

/** Where steps are done. */
export interface PlugContext extends ExecuteOptions {
  readonly host: MachineContext;
  readonly target: MachineRef;
  readonly client: QmpClient;
  readonly process: ProcessInfo;
  /** The machine as it is to be. */
  readonly config: MachineConfig;
  /** The user of its QEMU; undefined: the caller. */
  readonly user: RunAs | undefined;
}

type LeftoverContext = Omit<PlugContext, 'config' | 'process' | 'user'>;

/** Does what neither plugs in nor takes out. @throws {QemuError} */
export async function doSimple(context: PlugContext, step: Exclude<Step, { do: 'plug' | 'unplug' }>): Promise<void> {
  const { host, client, config, process, signal } = context;
  switch (step.do) {
    case 'medium': {
      const { id, image } = step.drive;
      await changeMedium(client, { device: `${id}-dev`, file: image?.file, force: true }, context);
      break;
    }
    case 'throttle':
      await throttle(context, step.device, step.drive.rate);
      break;
    case 'tap':
      await host.network.rejoin(config, step.nic, signal);
      break;
    case 'vnc-password':
      await setVncPassword(config, client);
      break;
    case 'limits':
      await applyLimits(host.paths, config, process.pid, signal);
      break;
    default:
      step satisfies never;
  }
}

/**
 * Plugs the devices of one key in. When that fails nothing of them is left.
 *
 * @throws {QemuError} `QEMU_QMP_REFUSED`, and what making a tap throws.
 */
export async function plugIn(context: PlugContext, parts: readonly Part[]): Promise<void> {
  const { host, target, client, config, user, signal } = context;
  const numbers = new Set(parts.map(({ key }) => key));
  const disks = config.disks.filter(({ index }) => numbers.has(`DSK${index}`));
  const nics = config.nics.filter(({ index }) => numbers.has(`NIC${index}`)).map(({ index }) => index);
  try {
    if (nics.length > 0) await host.network.plug(config, nics, signal);
    writeKeys({ ...config, disks }, target.files);
    giveKeys(target.files, user);
    const nodes = hostNodes({ usb: config.usb.filter(({ index }) => numbers.has(`USB${index}`)), pci: [] });
    await whileLent(target.files, user, nodes, async () => {
      for (const { command, arguments: values } of renderCalls(parts)) await client.execute(command, values, context);
    });
    for (const part of parts) {
      if (part.kind === 'device' && part.drive?.rate !== undefined) await throttle(context, part, part.drive.rate);
    }
  } catch (error) {
    // An interrupted command leaves nothing half-done either.
    await undo({ ...context, signal: undefined }, parts);
    const file = parts.find((part) => part.kind === 'drive')?.image?.file;
    throw named(file === undefined ? error : withReason(error, file), parts);
  } finally {
    removeKeys(target.files);
  }
}

/** What QEMU refused is about one of several keys. */
function named(error: unknown, [part]: readonly Part[]): unknown {
  if (errorCode(error) !== 'QEMU_QMP_REFUSED' || !(error instanceof QemuError) || !part) return error;
  return new QemuError(error.code, `Cannot plug in ${part.key}: ${error.message}`, {
    cause: error.cause,
    hint: error.hint,
  });
}

/** QEMU knows the drive of a virtio disk by an object below its device. */
async function throttle({ client, ...options }: PlugContext, device: Device, rate = 0): Promise<void> {
  const id = device.driver.startsWith('virtio-blk') ? `/machine/peripheral/${device.id}/virtio-backend` : device.id;
  const others = { bps_rd: 0, bps_wr: 0, iops: 0, iops_rd: 0, iops_wr: 0 };
  const limits = { timeoutMs: options.timeoutMs, signal: options.signal };
  await client.execute('block_set_io_throttle', { id, bps: rate, ...others }, limits);
}

/** The first error is the one to report; what cannot be undone now is seen, and undone, by the next command. */
async function undo(context: PlugContext, parts: readonly Part[]): Promise<void> {
  try {
    const devices = parts.filter((part) => part.kind === 'device');
    const seen = await lookInside(context.client, context);
    // Of several devices one may have been plugged in: a controller, which may stay.
    for (const { id } of devices) if (id !== undefined && seen.devices.has(id)) await askToLeave(context, id);
    await removeLeftovers(context, parts);
  } catch (error) {
    if (!(error instanceof QemuError)) throw error;
  }
}

/** Asks the guest to release a device. One that it was asked for before is waited for all the same. */
async function askToLeave({ client, ...options }: PlugContext, id: string): Promise<void> {
  try {
    await client.execute('device_del', { id }, { timeoutMs: options.timeoutMs, signal: options.signal });
  } catch (error) {
    const isNoNews = error instanceof QemuError && /already in the process of unplug|not found/.test(error.message);
    if (!isNoNews) throw error;
  }
}

/**
 * Takes devices out, all at the same time, and waits for the guest, which has to release them.
 *
 * @param deadline as of `performance.now()`.
 * @returns ids of those that the guest has not released in time.
 */
export async function takeOut(
  context: PlugContext,
  devices: readonly Device[],
  deadline: number,
): Promise<ReadonlySet<string>> {
  const ids = devices.flatMap(({ id }) => id ?? []);
  const since = context.client.eventCount;
  await Promise.all(ids.map((id) => askToLeave(context, id)));
  const gone = await Promise.all(ids.map((id) => leaves(context, id, since, deadline)));
  return new Set(ids.filter((_, at) => !gone[at]));
}

/** The event of a processor that is gone names no device. */
const LOOK_MS = 1_000;

/** Whether a device is gone in time. Its event comes once; one that came before is seen in what QEMU has. */
async function leaves({ client, signal }: PlugContext, id: string, since: number, deadline: number): Promise<boolean> {
  for (let from = since; ; ) {
    const devices = asArray(await client.executeRaw('qom-list', { path: '/machine/peripheral' }, { signal }));
    if (!devices.some((each) => asRecord(each)['name'] === id)) return true;
    const left = deadline - performance.now();
    if (left <= 0) return false;
    try {
      const events = ['DEVICE_DELETED', 'DEVICE_UNPLUG_GUEST_ERROR'] as const;
      const { event } = await client.waitForEvent(
        events,
        { device: id },
        { since: from, timeoutMs: Math.min(left, LOOK_MS), signal },
      );
      from = client.eventCount;
      if (event === 'DEVICE_UNPLUG_GUEST_ERROR') return false;
    } catch (error) {
      if (errorCode(error) !== 'QEMU_TIMEOUT') throw error;
    }
  }
}

/**
 * Removes what devices had that are gone: nodes, backends, keys, taps. Whatever of it is not there is none of its
 * business.
 *
 * @throws {QemuError} `QEMU_QMP_REFUSED` when QEMU still uses it, and what removing a tap throws.
 */
export async function removeLeftovers(context: LeftoverContext, parts: readonly Part[]): Promise<void> {
  const { client, host, target } = context;
  if (parts.length === 0) return;
  const seen = await lookInside(client, context);
  for (const part of parts) {
    if (part.kind === 'drive') await removeNodes(context, part.id, seen);
    else if (part.kind === 'netdev' && seen.netdevs.has(part.arguments.id)) {
      await client.execute('netdev_del', { id: part.arguments.id }, context);
    }
  }
  // After the nodes that use them.
  for (const part of parts) {
    if (part.kind === 'object' && seen.objects.has(part.id))
      await client.execute('object-del', { id: part.id }, context);
  }
  const nics = new Set(parts.flatMap(({ key }) => (key.startsWith('NIC') ? Number(key.slice(3)) : [])));
  for (const nic of nics) await host.network.unplug(target.longName, nic);
}

/** A device is gone by name some milliseconds before it lets go of its nodes, which QEMU does when all its threads have seen that. */
const LETS_GO_MS = 5_000;
const AGAIN_MS = 10;
const MOST_AGAIN_MS = 200;

/** The nodes of a drive, top first: what a snapshot put on top of the ones that it began with uses them. */
async function removeNodes({ client, ...options }: LeftoverContext, drive: string, { nodes }: Reality): Promise<void> {
  const limits = { timeoutMs: options.timeoutMs, signal: options.signal };
  let waitMs = AGAIN_MS;
  const deadline = performance.now() + Math.min(LETS_GO_MS, options.timeoutMs ?? LETS_GO_MS);
  for (let left = [...nodes].filter((name) => name.startsWith(`${drive}-`)); left.length > 0; ) {
    const before = left.length;
    let refusal: QemuError | undefined;
    for (const name of left) {
      try {
        await client.execute('blockdev-del', { 'node-name': name }, limits);
      } catch (error) {
        if (!(error instanceof QemuError) || error.code !== 'QEMU_QMP_REFUSED') throw error;
        // Of one that belongs to another one, which is refused, too, that says more.
        if (refusal === undefined || /is in use/.test(error.message)) refusal = error;
      }
    }
    const now = asArray(await client.executeRaw('query-named-block-nodes', { flat: true }, limits));
    left = now.map((node) => asText(asRecord(node)['node-name'])).filter((name) => name.startsWith(`${drive}-`));
    if (left.length < before) continue;
    if (refusal === undefined || performance.now() > deadline) throw heldOn(drive, refusal);
    await delay(waitMs, options.signal);
    waitMs = Math.min(2 * waitMs, MOST_AGAIN_MS);
  }
}

/** A guest without an operating system may keep a processor of QEMU from ever being at rest, which QEMU waits for. */
function heldOn(drive: string, refusal: QemuError | undefined): QemuError {
  const what = `QEMU has not let go of the image of ${drive.toUpperCase()}, whose device is gone`;
  return new QemuError('QEMU_QMP_REFUSED', what, {
    cause: refusal,
    hint: 'end the jobs on it (qemu-init jobs), or pause the guest for a moment, and run the same command again',
  });
}

/**
 * Puts all devices into their places in the boot order. For the moment in between none has one that another one is to
 * have.
 *
 * @param order by id of the device.
 */
export async function setBootOrder(
  { client, ...options }: PlugContext,
  order: ReadonlyMap<string, number>,
): Promise<void> {
  const limits = { timeoutMs: options.timeoutMs, signal: options.signal };
  const set = async (id: string, value: number): Promise<void> => {
    await client.execute('qom-set', { path: `/machine/peripheral/${id}`, property: 'bootindex', value }, limits);
  };
  for (const id of order.keys()) await set(id, -1);
  for (const [id, place] of order) await set(id, place);
}
