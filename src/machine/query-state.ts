import { QemuError } from '../errors.ts';
import type { QmpClient } from '../qmp/client.ts';
import type { ExecuteOptions } from '../qmp/command.ts';

/**
 * The state of a machine as QEMU reports it, and `preconfig` before the machine is made.
 *
 * @throws {QemuError} `QEMU_QMP_BAD_REPLY` for anything but a word; else as {@link QmpClient.execute}.
 */
export async function queryState(client: QmpClient, options: ExecuteOptions): Promise<string> {
  const state = member(await client.executeRaw('query-status', undefined, options), 'status');
  if (typeof state !== 'string' || !/^[a-z][a-z-]{0,39}$/.test(state)) {
    throw new QemuError('QEMU_QMP_BAD_REPLY', 'QEMU answers "query-status" without a state');
  }
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
export async function failedDisks(client: QmpClient, options: ExecuteOptions): Promise<string[]> {
  const answer = await client.executeRaw('query-block', undefined, options);
  return (Array.isArray(answer) ? answer : []).flatMap((device: unknown) => {
    const [name, status] = [member(device, 'device'), member(device, 'io-status')];
    if (typeof name !== 'string' || !/^[\w.-]{1,64}$/.test(name) || typeof status !== 'string') return [];
    return Object.hasOwn(IO_STATUS, status) ? [`${name}: ${IO_STATUS[status]}`] : [];
  });
}

/** QEMU 7.2 says `prelaunch` in the preconfig state too; there it refuses what needs a machine, such as query-pci. */
async function isPreconfig(client: QmpClient, options: ExecuteOptions): Promise<boolean> {
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
