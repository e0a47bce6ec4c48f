import { errorCode } from '../../base/errors.ts';
import { QmpClient } from '../../qmp/client.ts';
import type { ExecuteOptions } from '../../qmp/command.ts';
import type { AnyMonitor } from '../control/ways.ts';

/** How long QEMU may take to wake a guest; it takes milliseconds. */
const WAKE_MS = 5_000;

/**
 * Wakes a guest that sleeps, with its power management.
 *
 * @throws {QemuError} as {@link QmpClient.execute}; `QEMU_QMP_REFUSED` for a guest that QEMU cannot wake.
 */
export async function wakeGuest(client: AnyMonitor, options: ExecuteOptions): Promise<void> {
  if (!(client instanceof QmpClient)) {
    await client.executeRaw('system_wakeup', undefined, options);
    return;
  }
  const since = client.eventCount;
  await client.execute('system_wakeup', undefined, options);
  try {
    await client.waitForEvent('WAKEUP', undefined, { since, timeoutMs: WAKE_MS, signal: options.signal });
  } catch (error) {
    if (errorCode(error) !== 'QEMU_TIMEOUT') throw error;
    return;
  }
  await client.execute('stop', undefined, options);
  try {
    await restorePowerManagement(client, options);
  } finally {
    await client.execute('cont', undefined, options);
  }
}

/** Registers of the south bridge of `q35` (Intel ICH9 datasheet, 13.1) by way of the PCI configuration ports. */
const LPC = { id: 0x8000f800, pmBase: 0x8000f840, acpiControl: 0x8000f844 };
const ICH9 = 0x29188086;
const CONFIG_ADDRESS = 0xcf8;
const CONFIG_DATA = 0xcfc;

/** Where SeaBIOS puts the ACPI registers (ACPI 6.5, 4.8.3), and tells the guest that they are. */
const PM_BASE = 0x600;
const PM1 = { enable: PM_BASE + 2, control: PM_BASE + 4 };
const POWER_BUTTON = 0x0100;
const SCI_ENABLE = 0x0001;

/**
 * Waking up resets the devices. On `q35` SeaBIOS does not put the ACPI registers back (1.16), so that the guest would neither
 * see its power button nor be able to switch itself off. The processors have to stand still: the guest may be about to use the
 * same ports.
 */
async function restorePowerManagement(client: QmpClient, options: ExecuteOptions): Promise<void> {
  const hmp = (line: string): Promise<unknown> =>
    client.executeRaw('human-monitor-command', { 'command-line': line }, options);
  const read = async (port: number): Promise<number | undefined> => {
    const text = await hmp(`i /w 0x${port.toString(16)}`);
    const value = /= 0x([0-9a-f]{1,8})\s*$/.exec(typeof text === 'string' ? text : '')?.[1];
    return value === undefined ? undefined : Number.parseInt(value, 16);
  };
  const write = async (port: number, size: 'b' | 'h' | 'w', value: number): Promise<void> => {
    await hmp(`o /${size} 0x${port.toString(16)} 0x${value.toString(16)}`);
  };
  const before = await read(CONFIG_ADDRESS);
  if (before === undefined) return;
  try {
    await write(CONFIG_ADDRESS, 'w', LPC.id);
    if ((await read(CONFIG_DATA)) !== ICH9) return;
    await write(CONFIG_ADDRESS, 'w', LPC.pmBase);
    // After a reset there is none; other firmware has seen to that itself.
    if (((await read(CONFIG_DATA)) ?? 1) >>> 7 !== 0) return;
    await write(CONFIG_DATA, 'w', PM_BASE | 1);
    await write(CONFIG_ADDRESS, 'w', LPC.acpiControl);
    await write(CONFIG_DATA, 'b', 0x80);
    await write(PM1.enable, 'h', POWER_BUTTON);
    await write(PM1.control, 'h', SCI_ENABLE);
  } finally {
    await write(CONFIG_ADDRESS, 'w', before);
  }
}
