import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { probeQemu } from '../../src/system/probe/qemu-probe.ts';
import { findProgram } from '../../src/system/process/exec.ts';
import { type Cleanup, tempDir } from '../support/temp-root.ts';

const BINARY = 'qemu-system-x86_64';

/** What QEMU prints for a list that it shows and exits. */
function help(option: string): string {
  return execFileSync(BINARY, [option, 'help'], { encoding: 'utf8' });
}

/** The installed QEMU behind a script that notes each call. */
function countedQemu(t: Cleanup) {
  const dir = tempDir(t);
  const binary = join(dir, BINARY);
  const notes = join(dir, 'calls');
  writeFileSync(notes, '');
  writeFileSync(binary, `#!/bin/sh\necho call >> ${notes}\nexec ${findProgram(BINARY)} "$@"\n`, { mode: 0o755 });
  return { dir, binary, calls: () => readFileSync(notes, 'utf8').split('\n').length - 1 };
}

test('the probe of the installed QEMU agrees with what QEMU itself prints', async (t) => {
  const probe = await probeQemu(BINARY, join(tempDir(t), 'probes'));
  assert.equal(probe.binary, findProgram(BINARY));
  assert.ok(execFileSync(BINARY, ['--version'], { encoding: 'utf8' }).includes(`version ${probe.version} `));
  assert.equal(probe.versionNumber.join('.'), probe.version);

  const machines = [...help('-machine').matchAll(/^(\S+) {2,}/gm)].map(([, name = '']) => name);
  assert.deepEqual([...probe.machines.keys()].sort(), machines.sort());
  assert.match(probe.machines.get('q35') ?? '', /^pc-q35-\d/);
  assert.ok(help('-machine').includes(`\n${probe.defaultMachine} `));

  const devices = [...help('-device').matchAll(/^name "([^"]+)"/gm)].map(([, name = '']) => name);
  assert.ok(devices.length > 100);
  assert.deepEqual(
    devices.filter((name) => !probe.devices.has(name)),
    [],
  );
  const objects = [...help('-object').matchAll(/^ {2}(\S+)$/gm)].map(([, name = '']) => name);
  assert.deepEqual(
    objects.filter((name) => !probe.objects.has(name)),
    [],
  );
  const accelerators = help('-accel').trim().split('\n').slice(1);
  assert.deepEqual([...probe.accelerators].sort(), accelerators.sort());
  assert.ok(probe.commands.has('human-monitor-command'));
});

test('a binary is run once and then remembered, with the same answer', async (t) => {
  const cacheDir = join(tempDir(t), 'probes');
  const first = await probeQemu(BINARY, cacheDir);
  const [file = ''] = readdirSync(cacheDir);
  const stored = readFileSync(join(cacheDir, file), 'utf8');
  // A mark shows that the second answer is the stored one.
  writeFileSync(join(cacheDir, file), stored.replace('"virtio-net-pci"', '"marked"'));
  const second = await probeQemu(BINARY, cacheDir);
  assert.ok(second.devices.has('marked'));
  assert.deepEqual({ ...second, devices: undefined }, { ...first, devices: undefined });
});

test('a damaged cache is replaced, and one that cannot be written is no failure', async (t) => {
  const cacheDir = join(tempDir(t), 'probes');
  const first = await probeQemu(BINARY, cacheDir);
  const [file = ''] = readdirSync(cacheDir);
  writeFileSync(join(cacheDir, file), '{"version":');
  assert.deepEqual(await probeQemu(BINARY, cacheDir), first);
  assert.notEqual(readFileSync(join(cacheDir, file), 'utf8'), '{"version":');
  assert.deepEqual(await probeQemu(BINARY, '/proc/no-such-folder'), first);
});

test('a wrapper script is not remembered over the end of the process, but within it', async (t) => {
  const { dir, binary, calls } = countedQemu(t);
  mkdirSync(join(dir, 'probes'));
  const probes = await Promise.all(Array.from({ length: 10 }, () => probeQemu(binary, join(dir, 'probes'))));
  assert.equal(calls(), 1);
  assert.equal(new Set(probes.map(({ version }) => version)).size, 1);
  assert.deepEqual(readdirSync(join(dir, 'probes')), []);
});

test('an aborted probe is QEMU_ABORTED', async (t) => {
  await assert.rejects(probeQemu(BINARY, tempDir(t), { signal: AbortSignal.abort() }), { code: 'QEMU_ABORTED' });
});
