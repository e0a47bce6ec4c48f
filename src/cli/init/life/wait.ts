import { QemuError } from '../../../base/errors.ts';
import type { MachineConfig } from '../../../config/types.ts';
import type { MachineRef } from '../../../machine/context.ts';
import { type Goal, parseGoal, waitForGoal } from '../../../machine/observe/wait.ts';
import type { Context } from '../../run/context.ts';
import { present } from '../../shared/many.ts';
import { type SelectionArguments, select } from '../../shared/selection.ts';

interface Arguments extends SelectionArguments {
  readonly for: readonly string[];
  readonly timeout: number;
}

export async function run(context: Context, args: Arguments): Promise<number> {
  const goals = args.for.map((text) => {
    const goal = parseGoal(text);
    if (goal) return goal;
    throw new QemuError('QEMU_USAGE', `Cannot wait for "${text}"`, {
      hint: 'it must be running, stopped, agent, console=REGEX, port=PORT or port=ADDRESS:PORT',
    });
  });
  const fleet = context.fleet();
  const selection = select(context, args, () => fleet.list());
  const began = performance.now();
  const deadline = began + args.timeout * 1000;
  const outcomes = await fleet.each(selection.targets, selection.targets.length, async (target) => {
    for (const { kind } of goals) refuseWithoutDevice(kind, fleet.inspect(target).config, target);
    for (const goal of goals) await waitForGoal(fleet.host, target, goal, deadline, context.signal);
    return Math.round(performance.now() - began) / 1000;
  });
  return present<number>(context, selection, outcomes, {
    text: (name, seconds) => `${name}: ${args.for.join(', ')} after ${seconds} s`,
    json: (seconds) => ({ outcome: 'reached', seconds }),
    failed: (seconds) => ({ outcome: 'failed', seconds }),
  });
}

function refuseWithoutDevice(kind: Goal['kind'], config: MachineConfig | undefined, target: MachineRef): void {
  const isMissing = { console: config?.serial === false, agent: config?.agent === false };
  if ((kind !== 'console' && kind !== 'agent') || !isMissing[kind]) return;
  const { longName, configPath } = target;
  throw new QemuError('QEMU_CONFIG_INVALID', `Machine "${longName}" has no ${kind} to wait for`, {
    hint: `${kind === 'console' ? 'SERIAL' : 'QGA'}=off is set in "${configPath}"`,
  });
}
