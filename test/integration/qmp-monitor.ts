import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { QmpAddress } from '../../src/qmp/address.ts';
import { QmpClient } from '../../src/qmp/client.ts';

/** A QEMU with one QMP monitor, killed at the end of the test. */
export interface MonitorQemu {
  readonly child: ChildProcess;
  readonly address: QmpAddress;
  /** A folder of this test alone. */
  readonly folder: string;
  /** A client that ends with the test. */
  connect(): Promise<QmpClient>;
  /** Resolves with the exit status, or undefined when a signal ended it. */
  readonly exited: Promise<number | undefined>;
}

/** Starts QEMU without devices and without a guest that runs, unless `args` say otherwise. */
export function startMonitor(t: TestContext, args: readonly string[] = ['-machine', 'none', '-S']): MonitorQemu {
  const folder = makeFolder(t);
  const path = join(folder, 'qmp');
  const child = spawnQemu(t, ['-qmp', `unix:${path},server=on,wait=off`, ...args]);
  const address: QmpAddress = { kind: 'unix', path };
  return {
    child,
    address,
    folder,
    connect: async () => {
      const client = await QmpClient.connect(address, { retry: true });
      t.after(() => client.close());
      return client;
    },
    exited: once(child, 'close').then(() => child.exitCode ?? undefined),
  };
}

/** Starts QEMU with a monitor of the test's own making. */
export function spawnQemu(t: TestContext, args: readonly string[], stdio: ('ignore' | 'pipe')[] = []): ChildProcess {
  const child = spawn('qemu-system-x86_64', ['-nodefaults', '-no-user-config', '-display', 'none', ...args], {
    stdio: stdio.length > 0 ? stdio : ['ignore', 'ignore', 'ignore'],
  });
  t.after(() => child.kill('SIGKILL'));
  return child;
}

/** A new folder with a short path, removed at the end of the test. */
export function makeFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'qmp-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
