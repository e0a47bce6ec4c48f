import { ConfigError } from '../../base/config-error.ts';
import { QemuError } from '../../base/errors.ts';
import type { Outcome } from '../../fleet/schedule/outcome.ts';
import { takeAsked } from '../../fleet/service/asked.ts';
import { insideUnit } from '../../fleet/service/inside-unit.ts';
import { writeStartNotices } from '../../fleet/service/start-notices.ts';
import type { StartResult } from '../../machine/start/start.ts';
import type { Context } from '../run/context.ts';
import { present } from '../shared/many.ts';
import { type Selection, type SelectionArguments, select, unreadable } from '../shared/selection.ts';
import { startOutcome } from './start-outcome.ts';

interface Arguments extends SelectionArguments {
  readonly autostart: boolean;
  readonly alone?: boolean;
  readonly parallel?: number;
  readonly paused: boolean;
  readonly preconfig: boolean;
  readonly direct?: boolean;
}

export async function run(context: Context, args: Arguments): Promise<number> {
  const fleet = context.fleet();
  const selection = await choose(context, args);
  const [only] = selection.targets;
  const isUnit = args.direct === true && only !== undefined && insideUnit(context.paths, only.longName) !== undefined;
  const mode = isUnit ? takeAsked(context.paths, only.longName) : args;
  const outcomes = await fleet.startMany(selection.targets, {
    paused: mode.paused,
    preconfig: mode.preconfig,
    parallel: args.parallel,
    alone: args.alone,
    withBootDelay: args.autostart,
    signal: context.signal,
    // systemd has ended the start; what it began is stopped by ExecStopPost, which may take as long as a stop.
    keepInterrupted: isUnit,
  });
  if (isUnit) await tellUnit(context, outcomes);
  else if (context.paths.scope === 'user') await tellUser(context, outcomes);
  return present<StartResult>(context, selection, outcomes, startOutcome);
}

async function tellUser({ output, paths }: Context, outcomes: readonly Outcome<StartResult>[]): Promise<void> {
  const { logoutNotice } = await import('../../fleet/service/logout-notice.ts');
  for (const outcome of outcomes) {
    const notice = outcome.ok ? logoutNotice(paths, outcome.target, outcome.value.pid) : undefined;
    if (notice !== undefined) output.note('warning', `${outcome.target.longName}: ${notice}`);
  }
}

/** In the unit of a machine: whoever asked systemd for the start wants to know more than that it failed. */
async function tellUnit(context: Context, outcomes: readonly Outcome<StartResult>[]): Promise<void> {
  for (const outcome of outcomes) {
    const { paths, notices } = context;
    const unit = insideUnit(paths, outcome.target.longName);
    writeStartNotices(paths, outcome.target.longName, notices);
    if (outcome.ok) await unit?.started(outcome.target, outcome.value.pid, context.signal);
    else unit?.failed(outcome.error);
  }
}

async function choose(context: Context, args: Arguments): Promise<Selection> {
  const fleet = context.fleet();
  if (args.autostart) {
    if ((args.ids ?? []).length > 0) throw new QemuError('QEMU_USAGE', 'Both --autostart and machines were given');
    const looked = fleet.list().map((target) => ({ target, ...fleet.inspect(target) }));
    const targets = looked.flatMap(({ target, config }) => (config?.autostart === true ? [target] : []));
    // At boot nobody else would tell of it.
    const broken = looked.flatMap(({ target: { longName }, config, issues }) => {
      const message = `Cannot tell whether to start machine "${longName}"`;
      return config ? [] : [{ id: longName, error: new ConfigError(message, issues) }];
    });
    return { targets, unknown: [...unreadable(context), ...broken] };
  }
  const nothing = args.all !== true && (args.ids ?? []).length === 0;
  if (nothing && process.stdin.isTTY && process.stderr.isTTY) {
    const { askForMachine } = await import('../input/ask-for-machine.ts');
    return { targets: [await askForMachine(fleet, context.signal)], unknown: [] };
  }
  return select(context, args, () => fleet.list());
}
