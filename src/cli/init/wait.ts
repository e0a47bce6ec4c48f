import { QemuError } from '../../errors.ts';
import { parseGoal, waitForGoal } from '../../machine/wait.ts';
import type { Context } from '../context.ts';
import { present } from '../many.ts';

interface Arguments {
  readonly id: string;
  readonly for: readonly string[];
  readonly timeout: number;
}

export async function run(context: Context, args: Arguments): Promise<number> {
  const goals = args.for.map((text) => {
    const goal = parseGoal(text);
    if (goal) return goal;
    throw new QemuError('QEMU_USAGE', `Cannot wait for "${text}"`, {
      hint: 'running, stopped, console=REGEX, port=PORT and port=ADDRESS:PORT are allowed',
    });
  });
  const fleet = context.fleet();
  const target = fleet.get(args.id);
  if (goals.some(({ kind }) => kind === 'console') && fleet.inspect(target).config?.serial === false) {
    throw new QemuError('QEMU_CONFIG_INVALID', `Machine "${target.longName}" has no console to wait for`, {
      hint: `SERIAL=off is set in "${target.configPath}"`,
    });
  }
  const began = performance.now();
  const outcomes = await fleet.each([target], 1, async () => {
    const deadline = began + args.timeout * 1000;
    for (const goal of goals) await waitForGoal(target, goal, deadline, context.signal);
    return Math.round(performance.now() - began) / 1000;
  });
  return present<number>(context, { targets: [target], unknown: [] }, outcomes, {
    text: (name, seconds) => `${name}: ${args.for.join(', ')} after ${seconds} s`,
    json: (seconds) => ({ outcome: 'reached', seconds }),
    failed: { outcome: 'failed' },
  });
}
