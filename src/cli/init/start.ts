import { QemuError } from '../../errors.ts';
import type { StartResult } from '../../machine/start.ts';
import type { Context } from '../context.ts';
import { present } from '../many.ts';
import { type Selection, type SelectionArguments, select } from '../selection.ts';
import { startOutcome } from './start-outcome.ts';

interface Arguments extends SelectionArguments {
  readonly autostart: boolean;
  readonly parallel?: number;
  readonly paused: boolean;
  readonly preconfig: boolean;
}

export async function run(context: Context, args: Arguments): Promise<number> {
  const fleet = context.fleet();
  const selection = await choose(context, args);
  const outcomes = await fleet.startMany(selection.targets, {
    paused: args.paused,
    preconfig: args.preconfig,
    parallel: args.parallel,
    withBootDelay: args.autostart,
    signal: context.signal,
  });
  return present<StartResult>(context, selection, outcomes, startOutcome);
}

async function choose(context: Context, args: Arguments): Promise<Selection> {
  const fleet = context.fleet();
  if (args.autostart) {
    if ((args.ids ?? []).length > 0) throw new QemuError('QEMU_USAGE', 'Both --autostart and machines were given');
    return { targets: fleet.list().filter((target) => fleet.inspect(target).config?.autostart === true), unknown: [] };
  }
  const nothing = args.all !== true && (args.ids ?? []).length === 0;
  if (nothing && process.stdin.isTTY && process.stderr.isTTY) {
    const { askForMachine } = await import('../ask-for-machine.ts');
    return { targets: [await askForMachine(fleet, context.signal)], unknown: [] };
  }
  return select(context, args, () => fleet.list());
}
