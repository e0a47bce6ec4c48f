import { countDown } from '../../base/abort.ts';
import { QemuError } from '../../base/errors.ts';
import { isThere } from '../../system/files/files.ts';
import { withLock } from '../../system/lock/lock.ts';
import type { MachinePaths } from '../../system/paths.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { openFirst } from '../control/first-way.ts';
import { controlPorts, NO_PORTS, ownSocket } from '../control/ways.ts';
import { giveBack } from '../host-devices/lend-nodes.ts';
import { locate } from '../run/locate.ts';
import { removeLeftovers } from './execute.ts';
import { readJournal, writeJournal } from './journal.ts';
import { observe } from './observe.ts';
import { lookInside } from './reality.ts';

/** A command that plugs at the moment sees to it itself. */
const LOCK_MS = 20;

/**
 * Finishes what a guest has made possible since: removes what a device had that the guest has released after the
 * command that asked for it gave up, or was killed. Without such a device it costs reading a file. Never throws.
 */
export async function settlePlugged(host: MachineContext, target: MachineRef, timeoutMs: number): Promise<void> {
  const { files } = target;
  const located = locate(files);
  if (located.kind !== 'alive') return;
  const { process, record = NO_PORTS } = located;
  if (located.record?.phase === 'running') await giveBackLent(files);
  const isWaiting = (): boolean => Object.keys(readJournal(files, process)?.leaving ?? {}).length > 0;
  if (!isWaiting()) return;
  try {
    await withLock(files.plugLock, { timeoutMs: LOCK_MS, purpose: 'unplug' }, async () => {
      const noted = readJournal(files, process);
      if (noted === undefined) return;
      const left = countDown(timeoutMs);
      const ways = [ownSocket(files), ...controlPorts(files, record)];
      const { value: client } = await openFirst(`machine "${target.longName}"`, ways, { timeoutMs: left() });
      try {
        const { running, leftovers } = observe(noted, await lookInside(client, { timeoutMs: left() }));
        if (leftovers.length === 0) return;
        await removeLeftovers({ host, target, client, timeoutMs: left() }, leftovers);
        writeJournal(files, process, running);
        const keys = [...new Set(leftovers.map(({ key }) => key))].join(', ');
        const message = `the guest has released ${keys} in the meantime`;
        host.notify({ level: 'info', machine: target.longName, message });
      } finally {
        await client.close();
      }
    });
  } catch (error) {
    // The next command tries it again.
    if (!(error instanceof QemuError)) throw error;
  }
}

/** A start gives back by itself what it has lent. */
async function giveBackLent(files: MachinePaths): Promise<void> {
  try {
    if (!isThere(files.lent)) return;
    await withLock(files.plugLock, { timeoutMs: LOCK_MS, purpose: 'unplug' }, async () => giveBack(files));
  } catch (error) {
    if (!(error instanceof QemuError)) throw error;
  }
}
