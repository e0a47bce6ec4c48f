import { MachineManager } from '../../../fleet/machine-manager.ts';
import { findServices } from '../../../fleet/service/services.ts';
import { serveHelper } from '../../../web/serve-helper.ts';
import type { Context } from '../../run/context.ts';

/** What qemu-web-control@.service runs: does one thing for the page of this host; speaks JSON lines on standard input and output. */
export async function run({ paths, output, signal }: Context): Promise<number> {
  const fleet = new MachineManager(paths, (notice) => output.notice(notice), findServices(paths));
  await serveHelper(fleet, { input: process.stdin, output: process.stdout, signal }, (text) =>
    output.note('info', `web: ${text}`),
  );
  return 0;
}
