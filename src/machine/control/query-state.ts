import { QemuError } from '../../base/errors.ts';
import type { ExecuteOptions } from '../../qmp/command.ts';
import { runStateOf } from '../../qmp/status-answer.ts';
import type { AnyMonitor } from './ways.ts';

/**
 * The state of a machine as QEMU reports it, and `preconfig` before the machine is made.
 *
 * @throws {QemuError} `QEMU_QMP_BAD_REPLY` for anything but a word; else as {@link QmpClient.execute}.
 */
export async function queryState(client: AnyMonitor, options: ExecuteOptions): Promise<string> {
  const state = runStateOf(await client.executeRaw('query-status', undefined, options));
  return state === 'prelaunch' && (await isPreconfig(client, options)) ? 'preconfig' : state;
}

/** What is wrong with a disk on the host, by QEMU's word for it (BlockDeviceIoStatus). */
const IO_STATUS: Readonly<Record<FailedDrive['reason'], string>> = {
  nospace: 'no space left on the host',
  failed: 'the host cannot read or write it',
};

/** A drive whose last access failed. */
export interface FailedDrive {
  /** `dsk1`. */
  readonly drive: string;
  readonly reason: 'nospace' | 'failed';
}

/**
 * The drives that keep a machine in the state `io-error`.
 *
 * @throws {QemuError} as {@link QmpClient.execute}.
 */
export async function failedDrives(client: AnyMonitor, options: ExecuteOptions): Promise<FailedDrive[]> {
  const answer = await client.executeRaw('query-block', undefined, options);
  return (Array.isArray(answer) ? answer : []).flatMap((device: unknown) => {
    const [drive, reason] = [driveName(device), member(device, 'io-status')];
    if (drive === undefined || (reason !== 'nospace' && reason !== 'failed')) return [];
    return [{ drive, reason }];
  });
}

/** Its name, or that of a drive that was plugged in: then only its device has one. */
function driveName(device: unknown): string | undefined {
  const names = [member(device, 'device'), member(device, 'qdev')].flatMap((name) => {
    const text = typeof name === 'string' ? name : '';
    const id = /^\/machine\/peripheral\/([^/]+)/.exec(text)?.[1] ?? text;
    return /^[\w.-]{1,64}$/.test(id) ? [id.replace(/^(dsk\d+)-dev$/, '$1')] : [];
  });
  return names[0];
}

/** The same as text, such as `dsk1: no space left on the host`. */
export async function failedDisks(client: AnyMonitor, options: ExecuteOptions): Promise<string[]> {
  return (await failedDrives(client, options)).map(describeFailed);
}

/** A failure as text. */
export function describeFailed({ drive, reason }: FailedDrive): string {
  return `${drive}: ${IO_STATUS[reason]}`;
}

/**
 * QEMU 7.2 reports `prelaunch` in the preconfig state too; there it refuses what needs a machine, such as query-pci.
 */
async function isPreconfig(client: AnyMonitor, options: ExecuteOptions): Promise<boolean> {
  try {
    await client.executeRaw('query-pci', undefined, options);
    return false;
  } catch (error) {
    if (error instanceof QemuError && error.code === 'QEMU_QMP_REFUSED') return true;
    throw error;
  }
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
