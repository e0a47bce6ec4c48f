import assert from 'node:assert/strict';
import { closeSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { probeKvm } from '../../../src/system/probe/kvm-probe.ts';
import { type Cleanup, tempDir } from '../../support/temp-root.ts';

/** Without the device there is nothing to ask QEMU about. */
function deviceOpens(): boolean {
  try {
    closeSync(openSync('/dev/kvm', 'r+'));
    return true;
  } catch {
    return false;
  }
}

/** A stand-in for QEMU that notes each call. */
function countedQemu(t: Cleanup, script: string) {
  const dir = tempDir(t);
  const binary = join(dir, 'qemu-system-x86_64');
  writeFileSync(`${binary}.calls`, '');
  writeFileSync(binary, `#!/bin/sh\necho call >> $0.calls\n${script}\n`, { mode: 0o755 });
  return {
    binary,
    cacheDir: join(dir, 'probes'),
    calls: () => readFileSync(`${binary}.calls`, 'utf8').split('\n').length - 1,
  };
}

test('QEMU is asked once, and only when the device opens', async (t) => {
  const { binary, cacheDir, calls } = countedQemu(t, 'printf KD > serial');
  const verdicts = [await probeKvm(binary, cacheDir), await probeKvm(binary, cacheDir)];
  assert.equal(calls(), deviceOpens() ? 1 : 0);
  assert.deepEqual(verdicts[0], verdicts[1]);
  if (deviceOpens()) assert.deepEqual(verdicts[0], { usable: true, reason: '' });
  else assert.match(verdicts[0]?.reason ?? '', /"\/dev\/kvm"/);
});

test('a verdict that a busy host may be to blame for counts for a while only, whatever the clock does', async (t) => {
  const { binary, cacheDir, calls } = countedQemu(t, 'printf K > serial; exec sleep 1000');
  const ask = () => probeKvm(binary, cacheDir);
  assert.deepEqual(await ask(), await ask());
  assert.equal(calls(), deviceOpens() ? 1 : 0);
  if (!deviceOpens()) return;
  const [file = ''] = readdirSync(cacheDir);
  for (const expiresAt of [Date.now() - 1, Date.now() + 86_400_000]) {
    const before = calls();
    const stored = readFileSync(join(cacheDir, file), 'utf8');
    writeFileSync(join(cacheDir, file), stored.replace(/"expiresAt":\d+/, `"expiresAt":${expiresAt}`));
    await ask();
    assert.equal(calls(), before + 1);
  }
});

test('a missing QEMU is QEMU_NOT_INSTALLED', async (t) => {
  await assert.rejects(probeKvm('no-such-qemu', tempDir(t)), { code: 'QEMU_NOT_INSTALLED' });
});
