import { QemuError } from '../../errors.ts';
import { removeEmptyFolder } from '../../machine/clean-up.ts';
import { notRunning, type Target } from '../../machine/host.ts';
import { openStream } from '../../qmp/transport.ts';
import { withLock } from '../../system/lock.ts';
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
  return alone(target, signal, async () => {
    const stream = await openStream({ kind: 'unix', path: target.files.consoleSocket }, { retry: false, signal });
    if (process.stdin.isTTY) output.note('info', `Console of ${target.longName}. Leave with Ctrl-].`);
    const why = await attach(stream, signal);
    if (process.stdin.isTTY) output.note('info', why === 'closed' ? '\nThe machine hung up.' : '\nLeft the console.');
    return 0;
  });
}

/** QEMU serves one client at a time and lets others wait in silence. */
async function alone(target: Target, signal: AbortSignal, body: () => Promise<number>): Promise<number> {
  try {
    return await withLock(target.files.consoleLock, { timeoutMs: 0, signal, purpose: 'console' }, body);
  } catch (error) {
    if (!(error instanceof QemuError) || error.code !== 'QEMU_LOCKED') throw error;
    throw new QemuError('QEMU_LOCKED', `Somebody else has the console of machine "${target.longName}"`, {
      cause: error,
    });
  } finally {
    removeEmptyFolder(target.files);
  }
}
