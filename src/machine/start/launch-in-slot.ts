import { LaunchError } from '../../base/errors.ts';
import type { MachineConfig } from '../../config/types.ts';
import { type Allocation, NO_SLOT } from '../allocation.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { cleanUp } from '../run/clean-up.ts';
import { goneOf } from '../run/locate.ts';
import { readRecord } from '../run/record.ts';
import { claimSlot } from '../run/slots.ts';
import { usesSlotDisplay } from './launch-request.ts';
import { type Launching, launchWith, type Up } from './launch-with.ts';
import type { Prepared } from './prepare.ts';

/** Ports that turn out to be taken after they were found free; past this many something else is wrong. */
const MOST_SLOT_TRIES = 50;

/** Launches QEMU; when a port was lost to another program in between, in the next slot. */
export async function launchInSlot(
  host: MachineContext,
  target: MachineRef,
  config: MachineConfig,
  prepared: Prepared,
  options: Launching,
): Promise<Up> {
  const skip = new Set<number>();
  for (;;) {
    const allocation = await allocate(host, target, config, skip, options.signal);
    try {
      return await launchWith(host, target, config, prepared, allocation, options);
    } catch (error) {
      const { slot } = allocation;
      if (slot === undefined || skip.size >= MOST_SLOT_TRIES || !isPortLost(error, config)) throw error;
      skip.add(slot);
      await cleanUp(host, target, goneOf(target.files, readRecord(target.files)), { slot });
      host.notify({
        level: 'info',
        machine: target.longName,
        message: `a port of slot ${slot} was taken: trying the next`,
      });
    }
  }
}

/** QEMU's words for EADDRINUSE. A display that the configuration fixes is none of the slot's. */
function isPortLost(error: unknown, config: MachineConfig): boolean {
  if (!(error instanceof LaunchError)) return false;
  const lines = error.output
    .split('\n')
    .filter((line) => /Address already in use|Failed to find an available port/.test(line));
  return lines.some((line) => usesSlotDisplay(config) || !line.includes('-vnc '));
}

async function allocate(
  host: MachineContext,
  target: MachineRef,
  config: MachineConfig,
  skip: ReadonlySet<number>,
  signal: AbortSignal | undefined,
): Promise<Allocation> {
  const allocation = await claimSlot(host, {
    longName: target.longName,
    usesVnc: usesSlotDisplay(config),
    skip,
    signal,
  });
  if (allocation === NO_SLOT) {
    host.notify({
      level: 'warning',
      machine: target.longName,
      message: 'no slot is free: the machine has no monitor ports and no VNC display, only its own socket',
    });
  } else {
    const { slot, monitorPort, controlPort } = allocation;
    const ports = monitorPort === undefined ? 'no ports' : `ports ${monitorPort} and ${controlPort}`;
    host.notify({ level: 'debug', machine: target.longName, message: `slot ${slot}, ${ports}` });
  }
  return allocation;
}
