import type { FleetEvent } from '../../../fleet/events/fleet-event.ts';
import { fleetEvents } from '../../../fleet/events/fleet-events.ts';
import type { MachineRef } from '../../../machine/context.ts';
import { printJson } from '../../output/print-json.ts';
import { printableCell } from '../../output/printable.ts';
import type { Context } from '../../run/context.ts';
import { type SelectionArguments, select } from '../../shared/selection.ts';

/** Prints events of machines until interrupted. */
export async function run(context: Context, args: SelectionArguments): Promise<number> {
  const { output, signal } = context;
  const fleet = context.fleet();
  const chosen = args.ids?.length ? args : { ...args, all: true };
  const first = select(context, chosen, () => fleet.listWithRunning());
  const [unknown] = first.unknown;
  if (unknown) throw unknown.error;
  const targets = (): readonly MachineRef[] =>
    chosen.all === true ? context.fleet().listWithRunning() : first.targets;
  for await (const event of fleetEvents(fleet, targets, signal)) {
    await output.paced(`${output.json ? jsonOf(event) : lineOf(event)}\n`, signal);
  }
  return 0;
}

/** On one line. */
function jsonOf(event: FleetEvent): string {
  return printJson({ ...event, machine: event.machine === '' ? undefined : event.machine }, 0);
}

function lineOf({ time, machine, event, data }: FleetEvent): string {
  const details = Object.keys(data).length === 0 ? '' : ` ${printJson(data, 0)}`;
  return printableCell(`${time} ${machine === '' ? '-' : machine} ${event}${details}`);
}
