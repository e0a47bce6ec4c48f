import { delay } from '../../base/abort.ts';
import { QemuError } from '../../base/errors.ts';
import type { MachineRef } from '../../machine/context.ts';
import { openControl } from '../../machine/control/control-port.ts';
import { printJson } from '../output/print-json.ts';
import type { Context } from '../run/context.ts';

const CONNECT_MS = 10_000;
/** Interval between looks for a machine that does not run. */
const RETRY_MS = 500;

/**
 * Prints events as JSON lines until interrupted. When the machine stops, waits for it to start again; events of
 * the meantime are lost, which a line on stderr reports.
 *
 * @throws {QemuError} `QEMU_CONFIG_INVALID` for a machine without a control port, `QEMU_NOT_PERMITTED`.
 */
export async function runEvents(context: Context, target: MachineRef, names: readonly string[]): Promise<number> {
  const { output, signal } = context;
  const fleet = context.fleet();
  if (!fleet.isAlive(target)) output.note('info', `${target.longName}: not running; waiting for it`);
  while (!signal.aborted) {
    try {
      await follow(context, target, names);
      output.note('info', `${target.longName}: not running any more; waiting for it to start again`);
    } catch (error) {
      if (signal.aborted) break;
      if (!isPassing(error)) throw error;
      output.note('debug', error.message);
    }
    await delay(RETRY_MS, signal).catch(() => {});
  }
  return 0;
}

async function follow(context: Context, target: MachineRef, names: readonly string[]): Promise<void> {
  const { output, signal } = context;
  const client = await openControl(target, { timeoutMs: CONNECT_MS, signal });
  const events = client.events(names.length === 0 ? undefined : names, { signal });
  let dropped = 0;
  try {
    for await (const { event, data, timestamp } of events) {
      await output.paced(`${printJson({ event, data, timestamp }, 0)}\n`, signal);
      if (events.dropped > dropped) {
        dropped = events.dropped;
        output.note('warning', `${dropped} events were lost so far: their reader is too slow`);
      }
    }
  } finally {
    await client.close();
  }
}

/** Errors that end when the machine runs again, or when another client releases its port. */
const PASSING: readonly string[] = [
  'QEMU_NOT_RUNNING',
  'QEMU_TIMEOUT',
  'QEMU_IO',
  'QEMU_QMP_CONNECT',
  'QEMU_QMP_CLOSED',
  'QEMU_QMP_GREETING',
  'QEMU_QMP_NEGOTIATION',
  'QEMU_QMP_PROTOCOL',
];

function isPassing(error: unknown): error is QemuError {
  return error instanceof QemuError && PASSING.includes(error.code);
}
