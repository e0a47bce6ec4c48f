import { messageOf } from '../../base/text.ts';
import { isHostStopping } from '../../system/services/host-stopping.ts';
import { systemctl } from '../../system/services/systemd.ts';
import type { MachineManager } from '../machine-manager.ts';
import { unitName } from '../service/units/unit-text.ts';
import { stopJobsIn } from '../service/units/wave.ts';
import { attempt } from './run-in-order.ts';

/** After that `quit` has 15 s, within TimeoutStopSec of systemd/qemu-strays.service. */
const STRAYS_MS = 40_000;

/**
 * Stops the machines that nothing else will stop when the host goes down: systemd knows of a unit that was masked under a
 * running machine neither that it ends with the host nor how, and kills its QEMU with the last processes.
 */
export async function stopStrays(fleet: MachineManager): Promise<void> {
  if (!(await isHostStopping())) return;
  const jobs = await systemctl(['list-jobs', '--plain', '--no-legend', '--full']);
  const stopping = new Set(stopJobsIn(jobs.stdout));
  // There is at least that of the unit that calls this.
  if (stopping.size === 0) return;
  const strays = fleet
    .listWithRunning()
    .filter((target) => !stopping.has(unitName(target.longName)) && fleet.isAlive(target));
  const deadline = performance.now() + STRAYS_MS;
  await Promise.all(
    strays.map(async (target) => {
      const tell = (message: string): void =>
        fleet.host.notify({ level: 'warning', machine: target.longName, message });
      tell('is stopped here, since systemd does not stop its unit with the host');
      const outcome = await attempt(target, () => fleet.stop(target, { deadline }));
      if (!outcome.ok) tell(`could not be stopped: ${messageOf(outcome.error)}`);
    }),
  );
}
