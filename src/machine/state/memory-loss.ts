import { asNumber, asRecord } from '../../base/guards.ts';
import type { QmpClient } from '../../qmp/client.ts';
import type { ExecuteOptions } from '../../qmp/command.ts';

/**
 * Stops a guest whose memory would not arrive as it is if it ran on while QEMU sends it: see {@link losesMemory}.
 *
 * @param before is told the version of QEMU when it has to be stopped.
 * @returns whether it was stopped.
 * @throws {QemuError} as {@link QmpClient.execute}.
 */
export async function stopIfMemoryGetsLost(
  client: QmpClient,
  limits: ExecuteOptions,
  before: (version: string) => void = () => {},
): Promise<boolean> {
  const { major, minor, micro } = asRecord(
    asRecord(await client.executeRaw('query-version', undefined, limits))['qemu'],
  );
  const hasKvm = asRecord(await client.executeRaw('query-kvm', undefined, limits))['enabled'] === true;
  if (!losesMemory(asNumber(major), hasKvm)) return false;
  before([major, minor, micro].join('.'));
  await client.executeRaw('stop', undefined, limits);
  return true;
}

/**
 * Whether a QEMU misses some of what a guest changes while its memory is sent: without KVM before 9.0, whose commit
 * 03bfc2188f06 ("physmem: Fix migration dirty bitmap coherency with TCG memory access") has put that right. Pure.
 *
 * @param major of its version.
 */
export function losesMemory(major: number, hasKvm: boolean): boolean {
  return !hasKvm && major < 9;
}
