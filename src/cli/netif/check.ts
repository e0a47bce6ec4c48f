import { checkNetwork } from '../../fleet/check/host/network-findings.ts';
import { showProblems } from '../output/problems.ts';
import type { Context } from '../run/context.ts';

export async function run(context: Context): Promise<number> {
  const { output, paths, signal } = context;
  const fleet = context.fleet();
  const configs = fleet.listWithRunning().flatMap((target) => {
    const { config } = fleet.inspect(target);
    if (config === undefined)
      output.note('warning', `${target.longName}: not checked, see: qemu-init check ${target.longName}`);
    return config ?? [];
  });
  return showProblems(output, await checkNetwork(configs, paths, signal));
}
