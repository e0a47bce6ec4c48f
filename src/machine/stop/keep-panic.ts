import { QemuError } from '../../base/errors.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { crashFolder, keepCrash } from '../run/crash-folder.ts';
import { readRecord } from '../run/record.ts';
import { takeScreenshot } from '../screen/screenshot.ts';

/** A stop is not to wait for a picture. */
const SCREEN_MS = 2_000;

/**
 * Keeps what a guest that panicked has on its screen and console, before its QEMU is ended: after that its screen is
 * gone, and the next run goes on in the same logs. Never fails.
 */
export async function keepPanic(host: MachineContext, target: MachineRef, signal?: AbortSignal): Promise<void> {
  const { files, longName } = target;
  const record = readRecord(files);
  if (record === undefined) return;
  const end = { cause: 'guest-panic', at: new Date().toISOString() };
  const folder = crashFolder(files, keepCrash(files, record, end, await pictureOf(host, target, signal)));
  if (folder === undefined) return;
  host.notify({ level: 'info', machine: longName, message: `what its guest showed last is kept in "${folder}"` });
}

/** Undefined for a machine without a screen, and for one that is too slow. */
async function pictureOf(
  host: MachineContext,
  target: MachineRef,
  signal: AbortSignal | undefined,
): Promise<Buffer | undefined> {
  try {
    return (await takeScreenshot(host, target, { timeoutMs: SCREEN_MS, signal })).data;
  } catch (error) {
    if (!(error instanceof QemuError)) throw error;
    return undefined;
  }
}
