import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { test } from 'node:test';
import { launch } from '../../src/machine/start/launch.ts';
import type { QmpClient } from '../../src/qmp/client.ts';
import { machinePaths, resolvePaths } from '../../src/system/paths.ts';
import { qemuEnvironment } from '../../src/system/process/environment.ts';
import { waitForExit } from '../../src/system/process/process.ts';
import { type Cleanup, tempDir } from '../support/temp-root.ts';

type Spawned = { readonly pid: number; readonly startTime: string };

/** Launches a QEMU without a machine, to which `answer` happens once it answers. */
async function launchBare(t: Cleanup, answer: (client: QmpClient, qemu: Spawned) => Promise<void>): Promise<unknown> {
  const files = machinePaths(resolvePaths({ root: tempDir(t) }, {}, 0, '/'), 'web');
  for (const folder of [files.qemuDir, dirname(files.log)]) mkdirSync(folder, { recursive: true });
  const binary = '/usr/bin/qemu-system-x86_64';
  const monitor = ['-qmp', `unix:${files.qmpSocket},server=on,wait=off`, '-pidfile', files.pidFile];
  const argv = [binary, '-M', 'none', '-display', 'none', '-no-user-config', '-nodefaults', ...monitor];
  let qemu: Spawned | undefined;
  const launched = launch({
    argv,
    binary,
    runAs: undefined,
    cwd: '/',
    env: qemuEnvironment({ argv, asCaller: true, more: {} }),
    fds: [],
    files,
    timeoutMs: 30_000,
    signal: undefined,
    onSpawn: (process) => {
      qemu = process;
    },
    onAnswer: async (client) => {
      assert.ok(qemu);
      await answer(client, qemu);
    },
  });
  try {
    return await launched;
  } finally {
    assert.ok(qemu);
    assert.ok(await waitForExit(qemu.pid, qemu.startTime, 0), 'QEMU is gone when a launch has failed');
  }
}

test('a QEMU that ends at once is told by how it ended, whatever was going on with it', async (t) => {
  const message = /^qemu-system-x86_64 ended with exit status 0$/;
  const quit = (client: QmpClient): Promise<unknown> => client.execute('quit');
  const moments: ((client: QmpClient, qemu: Spawned) => Promise<void>)[] = [
    // After the last that was sent, before an answer, and before the next is sent.
    async (client, { pid, startTime }) => {
      await quit(client);
      assert.ok(await waitForExit(pid, startTime, 10_000));
    },
    async (client) => {
      await Promise.all([quit(client), client.execute('query-version')]);
    },
    async (client, { pid, startTime }) => {
      await quit(client);
      await waitForExit(pid, startTime, 10_000);
      await client.execute('query-version');
    },
  ];
  for (const moment of moments) {
    await assert.rejects(launchBare(t, moment), { name: 'LaunchError', code: 'QEMU_LAUNCH_FAILED', message });
  }
});

test('what QEMU refuses is told as that, and ends it', async (t) => {
  const refused = launchBare(t, async (client) => {
    await client.executeRaw('no-such-command');
  });
  await assert.rejects(refused, { code: 'QEMU_QMP_REFUSED' });
});
