import { checkHost } from '../../../fleet/check/host/check-host.ts';
import { showProblems } from '../../output/problems.ts';
import type { Context } from '../../run/context.ts';
import { PACKAGE } from '../../run/package-folder.ts';

export async function run({ output, fleet, signal }: Context): Promise<number> {
  return showProblems(output, await checkHost(fleet().machines, PACKAGE, signal));
}
