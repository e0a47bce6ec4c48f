import { checkNetwork } from '../../fleet/check/host/network-findings.ts';
import type { Context } from '../run/context.ts';

export async function run(context: Context): Promise<number> {
  const { output, paths, signal } = context;
  const fleet = context.fleet();
  const configs = fleet.listWithRunning().flatMap((target) => {
    const { config } = fleet.inspect(target);
    if (config === undefined)
      output.note('warning', `${target.longName}: not looked at, see: qemu-init check ${target.longName}`);
    return config ?? [];
  });
  const findings = await checkNetwork(configs, paths, signal);
  if (output.json) output.document(findings);
  else
    for (const { severity, title, detail, fix } of findings)
      output.line(`${severity}: ${title}\n  ${detail}\n  fix: ${fix}`);
  if (findings.length === 0 && !output.json) output.line('no problem found');
  return findings.some(({ severity }) => severity === 'error') ? 1 : 0;
}
