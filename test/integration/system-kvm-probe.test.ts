import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runGuest } from '../../src/system/probe/kvm-guest.ts';
import { findProgram } from '../../src/system/process/exec.ts';
import { type Cleanup, tempDir } from '../support/temp-root.ts';

/** The installed QEMU behind a script that puts TCG in place of KVM, so that the guest really runs on any host. */
function qemuUnderTcg(t: Cleanup, extra = ''): string {
  const path = join(tempDir(t), 'qemu-system-x86_64');
  const script = `#!/bin/sh
for word; do
  shift
  case $word in kvm) word=tcg ;; host) word=max ;; esac
  set -- "$@" "$word"
done
exec ${findProgram('qemu-system-x86_64')} "$@" ${extra}
`;
  writeFileSync(path, script, { mode: 0o755 });
  return path;
}

for (const machine of ['pc', 'q35', 'microvm']) {
  test(`the test guest runs to its end on the machine ${machine}`, async (t) => {
    assert.deepEqual(await runGuest(qemuUnderTcg(t, `-machine ${machine}`), undefined), { usable: true, reason: '' });
  });
}

test('a machine that QEMU refuses to make is not usable, in the words of QEMU', async (t) => {
  const { usable, reason } = await runGuest(qemuUnderTcg(t, '-device no-such-device'), undefined);
  assert.equal(usable, false);
  assert.match(reason, /no-such-device/);
});

test('a guest that stands still is given up, and its QEMU is gone', async (t) => {
  const { usable, reason, expiresAt } = await runGuest(qemuUnderTcg(t, '-S'), undefined);
  assert.deepEqual([usable, reason], [false, 'the guest does not run']);
  assert.ok(expiresAt);
});
