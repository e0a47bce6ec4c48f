import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { QmpClient } from '../../src/qmp/client.ts';
import { type Cleanup, tempDir } from './temp-root.ts';

/** A QEMU started by hand, without qemu-init; its guest's first serial port is our pipe. */
export interface RawQemu {
  readonly pid: number;
  /** What the guest has printed so far. */
  serial(): string;
  /** Types on the guest's serial port. */
  type(text: string): void;
  /** Resolves once the guest has printed a text; fails when QEMU ends first, or after `timeoutMs` (30,000). */
  waitForSerial(text: string, timeoutMs?: number): Promise<void>;
  /** Presses the power button, over QMP. */
  powerdown(): Promise<void>;
  readonly exited: Promise<{ readonly code: number | undefined; readonly signal: string | undefined }>;
}

/** Starts `qemu-system-x86_64` under TCG with nothing but what `args` say; killed at the end of the test. */
export function startQemu(t: Cleanup, args: readonly string[]): RawQemu {
  const qmpSocket = join(tempDir(t), 'qmp.sock');
  const child = spawn('qemu-system-x86_64', [
    ...['-nodefaults', '-no-user-config', '-accel', 'tcg', '-display', 'none', '-serial', 'stdio'],
    ...['-qmp', `unix:${qmpSocket},server=on,wait=off`],
    ...args,
  ]);
  let serial = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    serial += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  return {
    pid: child.pid ?? 0,
    serial: () => serial,
    type: (text) => child.stdin.write(text),
    waitForSerial: async (text, timeoutMs = 30_000) => {
      await outputOrEnd(child, () => serial.includes(text), AbortSignal.timeout(timeoutMs)).catch(() => undefined);
      if (!serial.includes(text)) throw new Error(`The guest did not print "${text}", but:\n${serial}\n${errors}`);
    },
    powerdown: () => powerdown(qmpSocket),
    exited: once(child, 'close').then(() => ({
      code: child.exitCode ?? undefined,
      signal: child.signalCode ?? undefined,
    })),
  };
}

async function outputOrEnd(
  child: ChildProcessWithoutNullStreams,
  isThere: () => boolean,
  signal: AbortSignal,
): Promise<void> {
  const end = once(child, 'close', { signal });
  end.catch(() => undefined);
  while (!isThere() && !child.stdout.closed) await Promise.race([once(child.stdout, 'data', { signal }), end]);
}

async function powerdown(qmpSocket: string): Promise<void> {
  const client = await QmpClient.connect({ kind: 'unix', path: qmpSocket }, { retry: true });
  try {
    await client.executeRaw('system_powerdown');
  } finally {
    await client.close();
  }
}
