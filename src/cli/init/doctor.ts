import { checkHost } from '../../fleet/check/host/check-host.ts';
import type { Context } from '../run/context.ts';
import { PACKAGE } from '../run/package-folder.ts';

/** Exit status 1 when there is an error; warnings alone are 0. */
export async function run(context: Context): Promise<number> {
  const { output } = context;
  const findings = await checkHost(context.fleet().machines, PACKAGE, context.signal);
  if (output.json) output.document(findings);
  else if (findings.length === 0) output.line('no problem found');
  else {
    for (const { severity, machine, title, detail, fix } of findings) {
      output.line(`${severity}: ${machine === undefined ? '' : `${machine}: `}${title}\n  ${detail}\n  fix: ${fix}`);
    }
  }
  return findings.some(({ severity }) => severity === 'error') ? 1 : 0;
}
