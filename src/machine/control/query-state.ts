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
const IO_STATUS: Readonly<Record<string, string>> = {
  nospace: 'no space left on the host',
  failed: 'the host cannot read or write it',
};

/**
 * The disks that keep a machine in the state `io-error`, such as `dsk1: no space left on the host`.
 *
 * @throws {QemuError} as {@link QmpClient.execute}.
 */
export async function failedDisks(client: AnyMonitor, options: ExecuteOptions): Promise<string[]> {
  const answer = await client.executeRaw('query-block', undefined, options);
  return (Array.isArray(answer) ? answer : []).flatMap((device: unknown) => {
    const [name, status] = [member(device, 'device'), member(device, 'io-status')];
    if (typeof name !== 'string' || !/^[\w.-]{1,64}$/.test(name) || typeof status !== 'string') return [];
    return Object.hasOwn(IO_STATUS, status) ? [`${name}: ${IO_STATUS[status]}`] : [];
  });
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
