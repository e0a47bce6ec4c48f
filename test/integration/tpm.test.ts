import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { asArray, asText } from '../../src/base/guards.ts';
import { findProcesses, readProcess } from '../../src/system/process/process.ts';
import { type Lab, lab, until } from '../support/lab.ts';
import { qemuImg } from '../support/odd-images.ts';
import type { Cleanup } from '../support/temp-root.ts';
import { readFromTpm, writeToTpm } from '../support/tpm.ts';

const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;
const UID = isRoot ? NOBODY : (process.getuid?.() ?? 0);

interface TpmLab extends Lab {
  /** Folder of the TPM of the machine "web", which runs as another user where that is possible. */
  readonly tpm: string;
  /** Processes of swtpm that work there. */
  readonly swtpms: () => number[];
}

function tpmLab(t: Cleanup): TpmLab {
  const host = lab(t);
  chmodSync(host.dir, 0o711);
  const disk = join(host.etcDir, 'web.qcow2');
  qemuImg('create', '-q', '-f', 'qcow2', disk, '1M');
  if (isRoot) chownSync(disk, NOBODY, NOBODY);
  host.add('web', `TPM=on\nDSK1=web.qcow2\nNETIF=managed\n${isRoot ? 'RUNAS=nobody\nSANDBOX=on\n' : ''}`);
  const tpm = join(host.stateDir, 'web', 'tpm');
  const swtpms = (): number[] =>
    findProcesses((argv) => argv.includes('swtpm'))
      .map(({ pid }) => pid)
      .filter((pid) => folderOf(pid) === tpm);
  t.after(() => {
    for (const pid of swtpms()) process.kill(pid, 'SIGKILL');
  });
  return { ...host, tpm, swtpms };
}

function folderOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return undefined;
  }
}

test("what a guest seals in its TPM outlives a stop, in a folder of the machine's user, and swtpm goes with QEMU", async (t) => {
  const host = tpmLab(t);
  await host.ok('start', 'web');
  const [pid = 0, ...others] = host.swtpms();
  assert.deepEqual(others, []);
  const process = readProcess(pid);
  assert.deepEqual([process?.uid, process?.hasOneUid], [UID, true]);
  assert.deepEqual([statSync(host.tpm).uid, statSync(host.tpm).mode & 0o777], [UID, 0o700]);
  assert.match((await host.cmd('-c', 'info tpm', 'web')).stdout, /tpm-crb/);
  assert.deepEqual((await host.one('status', 'web'))['problems'], []);
  await host.ok('stop', '--force', 'web');
  assert.deepEqual([host.swtpms(), host.leftovers()], [[], []]);
  await writeToTpm(host.tpm, 'sealed 1', UID);
  await host.ok('start', 'web');
  await host.ok('kill', 'web');
  assert.deepEqual([host.swtpms(), host.leftovers()], [[], []]);
  assert.equal(await readFromTpm(host.tpm, UID), 'sealed 1');
});

test('a snapshot, a backup and a saved state have what the TPM had, and a clone has a new one', async (t) => {
  const host = tpmLab(t);
  const dest = join(host.dir, 'backups');
  mkdirSync(dest);
  await host.ok('start', 'web');
  await host.ok('snapshot', 'create', 'web', 'empty', '--memory');
  await host.ok('stop', '--force', 'web');
  await writeToTpm(host.tpm, 'sealed 1', UID);
  await host.ok('snapshot', 'create', 'web', 'one');
  await host.ok('start', 'web');
  await host.ok('backup', 'create', 'web', dest);
  await host.ok('save', 'web');
  assert.deepEqual(host.swtpms(), []);
  await host.ok('start', 'web');
  await host.ok('stop', '--force', 'web');
  await writeToTpm(host.tpm, 'sealed 2', UID);

  await host.ok('snapshot', 'revert', 'web', 'one');
  assert.equal(await readFromTpm(host.tpm, UID), 'sealed 1');
  await host.ok('start', 'web');
  await host.ok('snapshot', 'revert', 'web', 'empty');
  await host.ok('kill', 'web');
  await assert.rejects(readFromTpm(host.tpm, UID), 'that snapshot, with memory, was made before anything was sealed');
  await host.ok('restore', dest, 'web');
  await host.ok('restore', dest, 'web', '--as', 'twin');
  await host.ok('clone', 'web', 'clone');
  assert.equal(existsSync(join(host.stateDir, 'clone', 'tpm')), false);
  // It runs as the same user, whose the files have to be.
  await host.ok('start', 'web');
  await host.ok('kill', 'web');
  assert.equal(await readFromTpm(host.tpm, UID), 'sealed 1');
  assert.equal(await readFromTpm(join(host.stateDir, 'twin', 'tpm')), 'sealed 1');
});

test('swtpm that is killed is reported, and at whatever moment it or the command dies, the next start works', async (t) => {
  const host = tpmLab(t);
  await host.ok('start', 'web');
  process.kill(host.swtpms()[0] ?? 0, 'SIGKILL');
  await until('swtpm is gone', () => host.swtpms().length === 0);
  const [problem] = asArray((await host.one('status', 'web'))['problems']);
  assert.match(asText(problem), /^swtpm .* has ended: the guest no longer has its TPM/);
  await host.ok('restart', '--force', 'web');
  assert.deepEqual((await host.one('status', 'web'))['problems'], []);
  await host.ok('kill', 'web');
  for (const delayMs of [0, 5, 15, 40, 80]) {
    const { child, result } = host.spawn('qemu-init', ['start', 'web']);
    await until('swtpm is there', () => host.swtpms().length > 0);
    await sleep(delayMs);
    child.kill('SIGKILL');
    await result;
    await host.ok('start', 'web');
    assert.equal(host.swtpms().length, 1);
    await host.ok('kill', 'web');
    assert.deepEqual([host.swtpms(), host.leftovers()], [[], []], `after ${delayMs} ms`);
  }
});

test("a TPM folder that was another user's loses what no TPM puts there, before swtpm is started in it", {
  skip: !isRoot,
}, async (t) => {
  const host = tpmLab(t);
  const victim = host.write('victim', 'precious');
  mkdirSync(host.tpm, { recursive: true });
  symlinkSync(victim, join(host.tpm, 'TMP2-00.permall'));
  symlinkSync(victim, join(host.tpm, 'tpm2-00.permall'));
  chownSync(host.tpm, 12_345, 12_345);
  await host.ok('start', 'web');
  assert.deepEqual(readdirSync(host.tpm).sort(), ['.lock', 'tpm2-00.permall']);
  await host.ok('kill', 'web');
  assert.equal(readFileSync(victim, 'utf8'), 'precious');
});

test('without swtpm the check reports what to install, with exit status 5', async (t) => {
  const host = tpmLab(t);
  const { code, stderr } = await host.run('qemu-init', ['check', 'web'], { env: { PATH: '/nowhere' } });
  assert.match(stderr, /TPM is on, but there is no program "swtpm" \(install it: apt install swtpm\)/);
  assert.equal(code, 5);
});
