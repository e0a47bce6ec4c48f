import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { LIGHT, lab } from '../support/lab.ts';
import { enterOwnMounts, useOwnEtc } from '../support/own-mounts.ts';

const isRoot = process.getuid?.() === 0;
if (isRoot) await enterOwnMounts();

test('the own user of a machine is renamed with it', async (t) => {
  if (!isRoot) return t.skip('takes root');
  useOwnEtc(t);
  const root = lab(t);
  execFileSync('chmod', ['755', root.dir]);
  await root.ok('create', 'qirena', ...LIGHT.trim().split('\n'), '--disk', '1M', 'RUNAS=auto', 'NETIF=managed');
  const owner = (): number => statSync(join(root.etcDir, 'qirena.qcow2')).uid;
  const before = owner();
  await root.ok('rename', 'qirena', 'qirenb');
  assert.notEqual(owner(), 0);
  await root.ok('start', 'qirenb');
  await root.ok('stop', '--force', 'qirenb');
  const names = readFileSync('/etc/passwd', 'utf8');
  assert.match(names, /QEMU machine qirenb/);
  assert.doesNotMatch(names, /QEMU machine qirena:/);
  assert.ok(before > 0);
  await root.ok('delete', '--yes', 'qirenb');
  assert.doesNotMatch(readFileSync('/etc/passwd', 'utf8'), /QEMU machine qirenb/);
});
