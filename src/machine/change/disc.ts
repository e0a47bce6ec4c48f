import { statSync } from 'node:fs';
import { errorCode, QemuError } from '../../base/errors.ts';
import { asArray, asRecord, asText } from '../../base/guards.ts';
import { renderCdrom } from '../../config/disk.ts';
import { setKey } from '../../config/text/edit-text.ts';
import type { QmpClient } from '../../qmp/client.ts';
import { fileError } from '../../system/files/file-error.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { withControl } from '../control/control-port.ts';
import { editConfig } from '../edit-config.ts';
import { inspectText } from '../load-config.ts';
import { lookInside } from '../plug/reality.ts';
import { previewEdit } from './attach.ts';
import { changeMedium, type MediumChange } from './medium.ts';
import { whilePlugging } from './reload.ts';

/** How a disc is exchanged. */
export interface DiscOptions {
  /** Take the disc out even when the guest has locked the tray. */
  readonly force?: boolean | undefined;
  /** Whether the machine's file is changed as well. */
  readonly persist?: boolean | undefined;
  /** How long a guest that has locked the tray has to open it (default: 10 s). */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What is in the drive afterwards, as QEMU reports it. */
export interface DiscResult {
  /** Undefined: nothing. */
  readonly file: string | undefined;
}

const ANSWER_MS = 10_000;
const RELEASE_MS = 10_000;

/**
 * Puts a disc into a CD-ROM drive of a running machine, in the place of the one that is there.
 *
 * @param key `CDR1` …
 * @param file absolute path of an ISO file.
 * @throws {QemuError} `QEMU_USAGE` for other keys; `QEMU_DEVICE_UNKNOWN` for a drive that the machine does not have;
 * `QEMU_IO` when the file is missing; `QEMU_QMP_REFUSED` when QEMU cannot open it; `QEMU_TIMEOUT` when the guest keeps
 * the tray locked; `QEMU_NOT_RUNNING`, `QEMU_LOCKED`, `QEMU_ABORTED`.
 */
export async function insertDisc(
  host: MachineContext,
  target: MachineRef,
  key: string,
  file: string,
  options: DiscOptions = {},
): Promise<DiscResult> {
  refuseMissing(file);
  return exchange(host, target, key, file, options);
}

/**
 * Takes the disc out of a CD-ROM drive of a running machine.
 *
 * @throws {QemuError} as {@link insertDisc}.
 */
export async function ejectDisc(
  host: MachineContext,
  target: MachineRef,
  key: string,
  options: DiscOptions = {},
): Promise<DiscResult> {
  return exchange(host, target, key, undefined, options);
}

function refuseMissing(file: string): void {
  try {
    const stats = statSync(file);
    if (stats.isFile() || stats.isBlockDevice()) return;
  } catch (error) {
    throw fileError('use', file, error);
  }
  throw new QemuError('QEMU_IO', `"${file}" is not a disc image`);
}

async function exchange(
  host: MachineContext,
  target: MachineRef,
  key: string,
  file: string | undefined,
  options: DiscOptions,
): Promise<DiscResult> {
  const { force = false, persist = false, timeoutMs = RELEASE_MS, signal } = options;
  const index = Number(/^CDR([1-9]\d{0,2})$/.exec(key)?.[1]);
  if (Number.isNaN(index)) throw new QemuError('QEMU_USAGE', `"${key}" is not a CD-ROM drive, such as CDR1`);
  const purpose = file === undefined ? 'eject' : 'insert';
  const change = { device: `cdr${index}-dev`, file, force };
  const edit = (text: string): string => {
    const { config } = inspectText(target.configPath, text, host.paths.defaultsFile);
    const drive = config?.cdroms.find((each) => each.index === index) ?? { index, optional: false };
    return setKey(text, key, renderCdrom({ ...drive, file }));
  };
  return whilePlugging(target, purpose, { timeoutMs, signal }, async () => {
    if (persist) previewEdit(host, target, edit);
    const limits = { timeoutMs: ANSWER_MS + timeoutMs, signal };
    const result = await withControl(host, target, limits, async (client) => {
      await refuseWithoutDrive(client, target, key, change, signal);
      await changeOrAsk(client, target, key, change, { timeoutMs, signal });
      const { media } = await lookInside(client, { timeoutMs: ANSWER_MS, signal });
      return { file: media.get(change.device)?.file };
    });
    if (persist) await editConfig(host, target, { purpose, change: edit, signal });
    return result;
  });
}

async function refuseWithoutDrive(
  client: QmpClient,
  { longName }: MachineRef,
  key: string,
  { device }: MediumChange,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { devices } = await lookInside(client, { timeoutMs: ANSWER_MS, signal });
  if (devices.has(device)) return;
  throw new QemuError('QEMU_DEVICE_UNKNOWN', `Machine "${longName}" has no ${key}`, {
    hint: `give it an empty drive, ${key}=empty, and restart it`,
  });
}

/** A guest that has locked the tray is asked by QEMU to open it, and does so when nothing of the disc is in use. */
async function changeOrAsk(
  client: QmpClient,
  { longName }: MachineRef,
  key: string,
  change: MediumChange,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal | undefined },
): Promise<void> {
  const limits = { timeoutMs: ANSWER_MS, signal };
  const since = client.eventCount;
  try {
    return await changeMedium(client, change, limits);
  } catch (error) {
    if (change.force || !(await isLocked(client, change, signal))) throw error;
  }
  try {
    const match = { id: change.device, 'tray-open': true };
    await client.waitForEvent('DEVICE_TRAY_MOVED', match, { since, timeoutMs, signal });
  } catch (error) {
    if (errorCode(error) !== 'QEMU_TIMEOUT') throw error;
    const message = `The guest of "${longName}" has locked the tray of ${key}`;
    throw new QemuError('QEMU_TIMEOUT', message, {
      hint: 'unmount the disc in the guest; --force takes it out all the same, which its programs may not survive',
    });
  }
  await changeMedium(client, change, limits);
}

async function isLocked(
  client: QmpClient,
  { device }: MediumChange,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const blocks = asArray(await client.executeRaw('query-block', {}, { timeoutMs: ANSWER_MS, signal }));
  return blocks.map(asRecord).some(({ qdev, locked }) => {
    return locked === true && (qdev === device || asText(qdev).endsWith(`/${device}`));
  });
}
