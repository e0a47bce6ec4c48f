import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import type { MonitorConfig } from '../../../src/config/monitor-config.ts';
import { NO_SLOT } from '../../../src/machine/allocation.ts';
import type { MachineContext } from '../../../src/machine/context.ts';
import { claimSlot, previewSlot, releaseSlot } from '../../../src/machine/run/slots.ts';
import { machinePaths } from '../../../src/system/paths.ts';
import { bootId, readProcess } from '../../../src/system/process/process.ts';
import { type Cleanup, tempDir } from '../../support/temp-root.ts';
import { type TestHost, testHost } from '../../support/test-host.ts';

function hostIn(dir: string, monitor: Partial<MonitorConfig> = {}): TestHost {
  // Ports of this run alone: tests run beside each other.
  const monitorPort = 10_000 + 400 * randomInt(20);
  return testHost(dir, { monitorPort, vncDisplay: monitorPort - 8_000, ...monitor });
}

const wish = (longName: string, skip: readonly number[] = []) => ({ longName, usesVnc: true, skip: new Set(skip) });

/** What a machine that runs leaves: its process and record. */
async function runningMachine(t: Cleanup, host: MachineContext, longName: string): Promise<ChildProcess> {
  const files = machinePaths(host.paths, longName);
  mkdirSync(files.qemuDir, { recursive: true });
  const child = spawn('sh', ['-c', 'read forever', 'qemu', '-no-user-config', '-pidfile', files.pidFile], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  t.after(() => {
    child.kill('SIGKILL');
  });
  await once(child, 'spawn');
  const { pid = 0 } = child;
  const record = { phase: 'running', name: longName, configPath: '', bootId: bootId(), startedAt: '', pid };
  writeFileSync(files.record, JSON.stringify({ ...record, pidStartTime: readProcess(pid)?.startTime }));
  return child;
}

/** Claims of a command that has ended since. */
function claimOfTheDead(host: MachineContext, slot: number, longName: string): void {
  mkdirSync(host.paths.slotsDir, { recursive: true });
  writeFileSync(join(host.paths.slotsDir, String(slot)), `${longName} 999999 1\n`);
}

test('machines get the lowest free slots, and each its last one again', async (t) => {
  const host = hostIn(tempDir(t));
  const slots = async (...names: string[]): Promise<unknown[]> => {
    const given: unknown[] = [];
    for (const name of names) given.push((await claimSlot(host, wish(name))).slot);
    return given;
  };
  assert.deepEqual(await slots('a', 'b', 'c'), [0, 1, 2]);
  for (const slot of [0, 1, 2]) for (const name of ['a', 'b', 'c']) releaseSlot(host, name, slot);
  assert.deepEqual(readdirSync(host.paths.slotsDir), []);
  assert.deepEqual(await slots('c', 'd', 'b'), [2, 0, 1]);
  assert.deepEqual(await slots('a'), [3], 'its own is taken by now');
  assert.deepEqual(JSON.parse(readFileSync(host.paths.lastSlotsFile, 'utf8')), { a: 3, b: 1, c: 2, d: 0 });
});

test('twenty claims at once get twenty slots', async (t) => {
  const host = hostIn(tempDir(t));
  const given = await Promise.all(Array.from({ length: 20 }, (_, at) => claimSlot(host, wish(`m${at}`))));
  assert.deepEqual(
    given.map(({ slot }) => Number(slot)).sort((a, b) => a - b),
    Array.from({ length: 20 }, (_, at) => at),
  );
});

test('a claim counts while its machine or the command that made it lives, and for nothing afterwards', async (t) => {
  const host = hostIn(tempDir(t));
  const qemu = await runningMachine(t, host, 'alive');
  claimOfTheDead(host, 0, 'alive');
  claimOfTheDead(host, 1, 'gone');
  for (const [slot, text] of Object.entries({ 2: '', 3: 'cut', 4: 'cut 1', 5: '\0\0', 6: '../../etc 1 1\n' })) {
    writeFileSync(join(host.paths.slotsDir, slot), text);
  }
  const given: unknown[] = [];
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) given.push((await claimSlot(host, wish(name))).slot);
  assert.deepEqual(given, [1, 2, 3, 4, 5, 6]);
  qemu.kill('SIGKILL');
  await once(qemu, 'close');
  assert.equal((await claimSlot(host, wish('next'))).slot, 0);
});

test('slots are passed over when a port or the display is another program’s, or when the caller says so', async (t) => {
  const host = hostIn(tempDir(t));
  const { monitorPort, vncDisplay } = host.monitor;
  for (const [port, address] of [
    [monitorPort, '127.0.0.1'],
    [monitorPort + 101, '0.0.0.0'],
    [5900 + vncDisplay + 2, '127.0.0.1'],
  ] as const) {
    const server = createServer().listen(port, address);
    t.after(() => {
      server.close();
    });
    await once(server, 'listening');
  }
  assert.equal((await previewSlot(host, 'web', true)).slot, 3);
  assert.equal((await previewSlot(host, 'web', false)).slot, 2, 'who has no VNC does not mind');
  assert.equal((await claimSlot(host, wish('web', [3, 4]))).slot, 5);
  assert.equal((await claimSlot(host, { ...wish('headless'), usesVnc: false })).slot, 2);
});

test('when none is left there is none, and nothing is noted', async (t) => {
  const host = hostIn(tempDir(t), { vncDisplay: 59_635 });
  assert.equal((await claimSlot(host, wish('a'))).slot, 0);
  assert.equal(await claimSlot(host, wish('b')), NO_SLOT);
  assert.equal(await previewSlot(host, 'b', true), NO_SLOT);
  assert.deepEqual(readdirSync(host.paths.slotsDir), ['0']);
});

test('a damaged file of last slots costs nothing but the slots', async (t) => {
  const host = hostIn(tempDir(t));
  for (const text of [
    '',
    '{',
    '[]',
    'null',
    '7',
    '"x"',
    '{"a":-1}',
    '{"a":1.5}',
    '{"a":"1"}',
    '{"__proto__":{"a":3}}',
    '\0',
  ]) {
    mkdirSync(host.paths.stateDir, { recursive: true });
    writeFileSync(host.paths.lastSlotsFile, text);
    assert.equal((await claimSlot(host, wish('a'))).slot, 0, text);
    releaseSlot(host, 'a', 0);
  }
});

test('a state folder that cannot be written to costs a warning', async (t) => {
  const dir = tempDir(t);
  const host = hostIn(dir);
  // A file in the way stops root too.
  mkdirSync(join(dir, 'var'));
  writeFileSync(join(dir, 'var/lib'), '');
  assert.equal((await claimSlot(host, wish('a'))).slot, 0);
  assert.deepEqual(
    host.notices.map(({ level, message }) => [level, /cannot record slot 0/.test(message)]),
    [['warning', true]],
  );
  rmSync(join(dir, 'var'), { recursive: true });
});

test('looking changes nothing', async (t) => {
  const dir = tempDir(t);
  const host = hostIn(dir);
  assert.equal((await previewSlot(host, 'a', true)).slot, 0);
  assert.deepEqual(readdirSync(dir), []);
});

test('a slot is released by the machine that holds it alone; without a number, all that it holds', (t) => {
  const host = hostIn(tempDir(t));
  for (const [slot, name] of [
    [0, 'a'],
    [1, 'b'],
    [2, 'a'],
  ] as const) {
    claimOfTheDead(host, slot, name);
  }
  releaseSlot(host, 'a', 1);
  assert.deepEqual(readdirSync(host.paths.slotsDir).sort(), ['0', '1', '2']);
  releaseSlot(host, 'a', undefined);
  assert.deepEqual(readdirSync(host.paths.slotsDir), ['1']);
  rmSync(host.paths.slotsDir, { recursive: true });
  releaseSlot(host, 'b', 1);
  releaseSlot(host, 'b', undefined);
  assert.ok(!existsSync(host.paths.slotsDir));
});

test('a remembered slot past the last port does not keep a machine from getting one', async (t) => {
  const host = hostIn(tempDir(t));
  mkdirSync(host.paths.stateDir, { recursive: true });
  writeFileSync(host.paths.lastSlotsFile, '{"web":1000000}');
  assert.equal((await previewSlot(host, 'web', true)).slot, 0);
  assert.equal((await claimSlot(host, wish('web'))).slot, 0);
});

test('a machine that asks again at once has its own slot, and others the next', async (t) => {
  const host = hostIn(tempDir(t));
  const { slot } = await claimSlot(host, wish('a'));
  assert.equal((await claimSlot(host, wish('a'))).slot, slot);
  assert.notEqual((await claimSlot(host, wish('b'))).slot, slot);
  assert.equal(readdirSync(host.paths.slotsDir).length, 2);
});
