import assert from 'node:assert/strict';
import { chownSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runGuest } from '../../../src/system/probe/kvm-guest.ts';
import { probeRom } from '../../../src/system/probe/kvm-probe-rom.ts';
import { findProcesses } from '../../../src/system/process/process.ts';
import { type Cleanup, tempDir } from '../../support/temp-root.ts';

/** A stand-in for QEMU, which runs in the folder with the guest's firmware; `$0.…` is a place to leave notes. */
function fakeQemu(t: Cleanup, script: string, name = 'qemu-system-x86_64'): string {
  const path = join(tempDir(t), name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return path;
}

test('KVM is usable when the guest does its work and QEMU ends well', async (t) => {
  const qemu = fakeQemu(t, 'pwd > $0.folder; cp rom $0.rom; echo "$*" > $0.args; printf KD > serial');
  assert.deepEqual(await runGuest(qemu, undefined), { usable: true, reason: '' });
  assert.deepEqual(readFileSync(`${qemu}.rom`), probeRom());
  assert.match(readFileSync(`${qemu}.args`, 'utf8'), /-accel kvm -cpu host .* -no-reboot$/m);
  assert.equal(existsSync(readFileSync(`${qemu}.folder`, 'utf8').trim()), false);
});

test('a folder for temporary files that is another user’s is not used', {
  skip: process.getuid?.() !== 0 && 'only root has to mistrust it',
}, async (t) => {
  const folder = tempDir(t);
  chownSync(folder, 65_534, 65_534);
  const before = process.env['TMPDIR'];
  t.after(() => {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
  });
  const qemu = fakeQemu(t, 'printf KD > serial');
  process.env['TMPDIR'] = folder;
  const { usable, reason } = await runGuest(qemu, undefined);
  assert.deepEqual([usable, reason], [false, `others could exchange the test guest in "${folder}"`]);
  assert.deepEqual(readdirSync(folder), []);
});

test('when QEMU gives up, its first message that is no warning is the reason', async (t) => {
  const qemu = fakeQemu(
    t,
    `exec >&2
    echo "qemu-system-x86_64: warning: host doesn't support requested feature"
    echo "qemu-system-x86_64: error: failed to set MSR 0x10a to 0x69"
    echo "qemu-system-x86_64: kvm.c:3183: Assertion failed"
    kill -ABRT $$`,
  );
  assert.deepEqual(await runGuest(qemu, undefined), { usable: false, reason: 'failed to set MSR 0x10a to 0x69' });
});

test('a QEMU that ends without a word, or without the guest being done, makes KVM not usable', async (t) => {
  const reason = 'QEMU ended without running the guest';
  for (const script of ['exit 0', 'printf K > serial', 'printf KD > serial; exit 1']) {
    assert.deepEqual(await runGuest(fakeQemu(t, script), undefined), { usable: false, reason });
  }
});

for (const [what, script, reason] of [
  ['crawls', 'printf K > serial; sleep 1000', 'the guest starts but runs far too slowly'],
  ['never starts', 'sleep 1000', 'the guest does not run'],
] as const) {
  test(`a guest that ${what} is killed, and the verdict passes`, async (t) => {
    const qemu = fakeQemu(t, script);
    const verdict = await runGuest(qemu, undefined);
    assert.equal(verdict.reason, reason);
    assert.equal(verdict.usable, false);
    assert.ok((verdict.expiresAt ?? 0) > Date.now());
    while (findProcesses((argv) => argv.includes(qemu)).length > 0) await new Promise(setImmediate);
  });
}

test('for a target that is not x86 QEMU has to make an empty machine under KVM', async (t) => {
  const qemu = fakeQemu(t, 'echo "$*" > $0.args; cat > $0.input', 'qemu-system-aarch64');
  assert.deepEqual(await runGuest(qemu, undefined), { usable: true, reason: '' });
  assert.match(readFileSync(`${qemu}.args`, 'utf8'), /-accel kvm -machine none -qmp stdio$/m);
  assert.match(readFileSync(`${qemu}.input`, 'utf8'), /"quit"/);
});

test('without a place for temporary files KVM is not usable for the moment', async (t) => {
  const before = process.env['TMPDIR'];
  t.after(() => {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
  });
  const qemu = fakeQemu(t, 'exit 0');
  process.env['TMPDIR'] = '/proc/no-such-folder';
  const { usable, reason, expiresAt } = await runGuest(qemu, undefined);
  assert.deepEqual([usable, reason], [false, 'the test guest cannot be written to "/proc/no-such-folder"']);
  assert.ok(expiresAt);
});

test('an abort ends the guest and is QEMU_ABORTED', async (t) => {
  const qemu = fakeQemu(t, 'sleep 1000');
  const abort = new AbortController();
  const running = runGuest(qemu, abort.signal);
  abort.abort();
  await assert.rejects(running, { code: 'QEMU_ABORTED' });
});
