import { QemuError } from '../../errors.ts';
import type { Target } from '../../machine/host.ts';
import { openControl } from '../../machine/monitor-access.ts';
import { delay } from '../../system/delay.ts';
import type { Context } from '../context.ts';
import { printJson } from '../print-json.ts';

const CONNECT_MS = 10_000;
/** How often a machine that is down is looked for again. */
const RETRY_MS = 500;

/**
 * Prints events as JSON lines until interrupted. When the machine goes down it waits for it to come up again; events of
 * the meantime are lost, and a line on stderr says so.
 */
export async function runEvents(context: Context, target: Target, names: readonly string[]): Promise<number> {
  const { output, signal } = context;
  const fleet = context.fleet();
  if (!fleet.isAlive(target)) output.note('info', `${target.longName}: not running; waiting for it`);
  while (!signal.aborted) {
    try {
      await follow(context, target, names);
      output.note('info', `${target.longName}: gone; waiting for it to come back`);
    } catch (error) {
      if (signal.aborted) break;
      if (!(error instanceof QemuError)) throw error;
      output.note('debug', error.message);
    }
    await delay(RETRY_MS, signal).catch(() => {});
  }
  return 0;
}

async function follow(context: Context, target: Target, names: readonly string[]): Promise<void> {
  const { output, signal } = context;
  // The other address than the one that qemu-cmd tries first, so that it finds that one free.
  const options = { timeoutMs: CONNECT_MS, signal, hosts: ['::1', '127.0.0.1'] };
  const client = await openControl(context.fleet().host, target, options);
  const events = client.events(names.length === 0 ? undefined : names, { signal });
  try {
    for await (const { event, data, timestamp } of events) {
      output.raw(`${printJson({ event, data, timestamp }, 0)}\n`);
      if (events.dropped > 0) output.note('warning', `${events.dropped} events were lost so far: the reader is slow`);
    }
  } finally {
    await client.close();
  }
}
