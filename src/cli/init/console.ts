import { QemuError } from '../../errors.ts';
import { notRunning } from '../../machine/host.ts';
import { openStream } from '../../qmp/transport.ts';
import type { Context } from '../context.ts';
import { attach } from '../terminal.ts';

export async function run(context: Context, args: { readonly id: string }): Promise<number> {
  const { output, signal } = context;
  const fleet = context.fleet();
  const target = fleet.get(args.id);
  if (!fleet.isAlive(target)) throw notRunning(target);
  if (fleet.inspect(target).config?.serial === false) {
    throw new QemuError('QEMU_CONFIG_INVALID', `Machine "${target.longName}" has no serial console (SERIAL=off)`);
  }
  const stream = await openStream({ kind: 'unix', path: target.files.consoleSocket }, { retry: false, signal });
  if (process.stdin.isTTY) output.note('info', `Console of ${target.longName}. Leave with Ctrl-].`);
  const why = await attach(stream, signal);
  if (process.stdin.isTTY) output.note('info', why === 'closed' ? '\nThe machine hung up.' : '\nLeft the console.');
  return 0;
}
