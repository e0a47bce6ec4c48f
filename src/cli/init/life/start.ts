import { ConfigError } from '../../../base/config-error.ts';
import { QemuError } from '../../../base/errors.ts';
import { shellCommand } from '../../../config/text/shell-words.ts';
import { clusterResources, resourceOf } from '../../../fleet/cluster/cib.ts';
import type { Outcome } from '../../../fleet/schedule/outcome.ts';
import { takeAsked } from '../../../fleet/service/asked.ts';
import { insideUnit } from '../../../fleet/service/inside-unit.ts';
import { removeStartFailure, writeStartFailure } from '../../../fleet/service/start-failure.ts';
import { writeStartNotices } from '../../../fleet/service/start-notices.ts';
import type { MachineRef } from '../../../machine/context.ts';
import type { StartResult } from '../../../machine/start/already-running.ts';
import { isSystemdBooted } from '../../../system/services/systemd.ts';
import type { Context } from '../../run/context.ts';
import { present } from '../../shared/many.ts';
import { namesOf, patiently } from '../../shared/patience.ts';
import { type Selection, type SelectionArguments, select, unreadable } from '../../shared/selection.ts';
import { startOutcome } from './start-outcome.ts';

interface Arguments extends SelectionArguments {
  readonly autostart: boolean;
  readonly alone?: boolean;
  readonly fresh?: boolean;
  readonly iKnow?: boolean;
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
  const work = fleet.startMany(selection.targets, {
    paused: mode.paused,
    preconfig: mode.preconfig,
    fresh: mode.fresh,
    iKnow: args.iKnow,
    parallel: args.parallel,
    alone: args.alone,
    withBootDelay: args.autostart,
    signal: context.signal,
    // systemd has ended the start; what it began is stopped by ExecStopPost, which may take as long as a stop.
    keepInterrupted: isUnit,
  });
  const outcomes = await patiently(context, work, () => waitingText(context, selection.targets));
  if (isUnit) await tellUnit(context, outcomes);
  else if (args.autostart) noteFailures(context, outcomes);
  else if (context.paths.scope === 'user') await tellUser(context, outcomes);
  const code = present<StartResult>(context, selection, outcomes, startOutcome);
  if (context.output.isWatched && process.stdout.isTTY) showWaysIn(context, outcomes);
  return code;
}

/** What a slow start is waiting for. */
function waitingText({ fleet, paths }: Context, targets: readonly MachineRef[]): string | undefined {
  const left = targets.filter((target) => !fleet().isAlive(target));
  if (left.length === 0) return undefined;
  const isByUnit = paths.scope === 'system' && isSystemdBooted();
  const see = isByUnit ? '; see what systemd is waiting for: systemctl list-jobs --after' : '';
  return `waiting for ${namesOf(left)} to start (Ctrl-C cancels the start${see})`;
}

/** After the start of one machine, shows how to access it. */
function showWaysIn({ output, fleet }: Context, outcomes: readonly Outcome<StartResult>[]): void {
  const [only] = outcomes;
  if (outcomes.length !== 1 || !only?.ok || only.value.outcome !== 'started') return;
  const { longName, shortName, configPath } = only.target;
  const id = shellCommand(shortName === undefined ? configPath : longName);
  const hasConsole = fleet().inspect(only.target).config?.serial === true;
  const ways = [
    ...(hasConsole ? [`qemu-init console ${id}`] : []),
    ...(only.value.vnc === undefined ? [] : [`qemu-init vnc ${id}`]),
  ];
  if (ways.length > 0) output.note('info', `to see it: ${ways.join(', or ')}; to stop it: qemu-init stop ${id}`);
}

async function tellUser({ output, paths }: Context, outcomes: readonly Outcome<StartResult>[]): Promise<void> {
  const { logoutNotice } = await import('../../../fleet/service/logout-notice.ts');
  for (const outcome of outcomes) {
    const notice = outcome.ok ? logoutNotice(paths, outcome.target, outcome.value.pid) : undefined;
    if (notice !== undefined) output.note('warning', `${outcome.target.longName}: ${notice}`);
  }
}

/** In the unit of a machine: stores notices and errors for the command that asked systemd for the start. */
async function tellUnit(context: Context, outcomes: readonly Outcome<StartResult>[]): Promise<void> {
  for (const outcome of outcomes) {
    const { paths, notices } = context;
    const unit = insideUnit(paths, outcome.target.longName);
    writeStartNotices(paths, outcome.target.longName, notices);
    if (outcome.ok) await unit?.started(outcome.target, outcome.value.pid, context.signal);
    else unit?.failed(outcome.error);
  }
}

/** At boot without systemd no user reads the output; stores failures for `status`. */
function noteFailures({ paths }: Context, outcomes: readonly Outcome<StartResult>[]): void {
  for (const { target, ...outcome } of outcomes) {
    if (outcome.ok) removeStartFailure(paths, target.longName);
    else writeStartFailure(paths, target.longName, outcome.error);
  }
}

async function choose(context: Context, args: Arguments): Promise<Selection> {
  const fleet = context.fleet();
  if (args.autostart) {
    if ((args.ids ?? []).length > 0) throw new QemuError('QEMU_USAGE', 'Both --autostart and machines were given');
    const looked = fleet.list().map((target) => ({ target, ...fleet.inspect(target) }));
    const resources = clusterResources(context.paths);
    const targets = looked.flatMap(({ target, config }) => {
      return config?.autostart === true && resourceOf(resources, target) === undefined ? [target] : [];
    });
    // At boot nothing else would report it.
    const broken = looked.flatMap(({ target: { longName }, config, issues }) => {
      const message = `Cannot determine whether to start machine "${longName}"`;
      return config ? [] : [{ id: longName, error: new ConfigError(message, issues) }];
    });
    return { targets, unknown: [...unreadable(context), ...broken] };
  }
  const nothing = args.all !== true && (args.ids ?? []).length === 0;
  if (nothing && process.stdin.isTTY && process.stderr.isTTY) {
    const { askForMachine } = await import('../../input/ask-for-machine.ts');
    return { targets: [await askForMachine(fleet, context.signal)], unknown: [] };
  }
  return select(context, args, () => fleet.list());
}
