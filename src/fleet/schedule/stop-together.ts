import { join } from 'node:path';
import type { MachineRef } from '../../machine/context.ts';
import type { StopResult } from '../../machine/stop/stop.ts';
import { ensureDir, writeFileAtomic } from '../../system/files/files.ts';
import type { Paths } from '../../system/paths.ts';
import { systemctl } from '../../system/services/systemd.ts';
import type { Fleet } from '../fleet.ts';
import { unitName } from '../service/units/unit-text.ts';
import { nextWave, orderIn, type StopOrder, stopJobsIn } from '../service/units/wave.ts';
import { attempt } from './run-in-order.ts';

/** Time for all guests together. What is up after it is a matter for its own unit, as if this had not been. */
const TOGETHER_MS = 5_000;

/** Below this the units are as fast by themselves. */
const FEWEST = 3;

/**
 * Asks the guests of all units that systemd is about to stop to go down, in systemd's own order, from this one process: each
 * unit by itself would start Node. Nobody is asked rudely here, and nobody whose hooks belong into his unit.
 *
 * @param text the line for the journal of the machine's unit.
 */
export async function stopTogether(
  fleet: Fleet,
  text: (target: MachineRef, result: StopResult) => string,
): Promise<void> {
  const machines = new Map<string, MachineRef>();
  const order = await askOrder();
  for (const unit of order.before.keys()) {
    const target = askable(fleet, unit);
    if (target) machines.set(unit, target);
  }
  const deadline = performance.now() + TOGETHER_MS;
  const done = new Set<string>();
  for (;;) {
    const wave = nextWave(order, machines.keys(), done);
    const left = deadline - performance.now();
    if (wave.length === 0 || left <= 0) return;
    await Promise.all(
      wave.map(async (unit) => {
        const target = machines.get(unit);
        machines.delete(unit);
        if (!target) return;
        const onDown = (result: StopResult): void => writeSaid(fleet.host.paths, target, text(target, result));
        const outcome = await attempt(target, () => fleet.ask(target, left, onDown));
        if (outcome.ok) done.add(unit);
      }),
    );
  }
}

async function askOrder(): Promise<StopOrder> {
  const jobs = await systemctl(['list-jobs', '--plain', '--no-legend', '--full']);
  const units = new Set(stopJobsIn(jobs.stdout));
  units.delete(TOGETHER_UNIT);
  const machines = [...units].filter((unit) => MACHINE_UNIT.test(unit));
  if (machines.length < FEWEST) return { units, before: new Map() };
  const shown = await systemctl(['show', '--property=Id,Before', ...machines]);
  const before = orderIn(shown.stdout);
  // It is this one that all of them are ordered before.
  return { units, before };
}

const TOGETHER_UNIT = 'qemu-stop.service';
const MACHINE_UNIT = /^qemu@(.+)\.service$/;

/** The machine of a unit, when its QEMU lives and its stop is nothing but the ladder. */
function askable(fleet: Fleet, unit: string): MachineRef | undefined {
  const longName = MACHINE_UNIT.exec(unit)?.[1];
  if (longName === undefined || unitName(longName) !== unit) return undefined;
  try {
    const target = fleet.machines.getOfUnit(longName);
    return fleet.isAlive(target) && !fleet.hasStopHooks(target) ? target : undefined;
  } catch {
    return undefined;
  }
}

/** What systemd/qemu-ended writes to the journal of the unit. */
function writeSaid({ runDir }: Paths, { longName }: MachineRef, line: string): void {
  const folder = join(runDir, '.said');
  ensureDir(folder, 0o700);
  writeFileAtomic(join(folder, longName), `${line}\n`, 0o600);
}
