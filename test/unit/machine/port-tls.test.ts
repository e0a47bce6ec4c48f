import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readPsk, writeTlsFiles } from '../../../src/machine/control/port-tls.ts';
import { machinePaths, resolvePaths } from '../../../src/system/paths.ts';
import { tempDir } from '../../support/temp-root.ts';

test('each run has a key of its own, for its owner alone, beside the group of RFC 7919', (t) => {
  const files = machinePaths(resolvePaths({ root: tempDir(t) }, {}, 0, '/'), 'web');
  mkdirSync(files.dir, { recursive: true });
  writeTlsFiles(files);
  const first = readPsk(files);
  assert.equal(first.identity, 'qemu');
  assert.equal(first.key.length, 32);
  writeTlsFiles(files);
  assert.notDeepEqual(readPsk(files).key, first.key);
  assert.equal(statSync(files.tlsDir).mode & 0o777, 0o700);
  for (const name of ['keys.psk', 'dh-params.pem'])
    assert.equal(statSync(join(files.tlsDir, name)).mode & 0o777, 0o600);
  const group = readFileSync(join(files.tlsDir, 'dh-params.pem'), 'utf8');
  const der = Buffer.from(group.replace(/-----.*-----/g, ''), 'base64');
  // RFC 7919, appendix A.1: the prime begins with 64 ones and goes on with ADF85458, and the generator is 2.
  assert.ok(der.toString('hex').includes('ffffffffffffffffadf85458a2bb4a9a'));
  assert.equal(der.subarray(-4).toString('hex'), 'ff020102');
});

test('a key that is lost with the run-time folder is read from its copy, which is for the owner alone', (t) => {
  const files = machinePaths(resolvePaths({ root: tempDir(t) }, {}, 0, '/'), 'web');
  mkdirSync(files.dir, { recursive: true });
  writeTlsFiles(files);
  const written = readPsk(files);
  rmSync(files.dir, { recursive: true });
  assert.deepEqual(readPsk(files), written);
  assert.equal(statSync(files.keptKey).mode & 0o777, 0o600);
  assert.equal(statSync(files.keptDir).mode & 0o777, 0o700);
});

test('a key that is missing or damaged is an error that says what helps', (t) => {
  const files = machinePaths(resolvePaths({ root: tempDir(t) }, {}, 0, '/'), 'web');
  mkdirSync(files.dir, { recursive: true });
  writeTlsFiles(files);
  for (const text of ['', 'qemu:', 'other:00', 'qemu:xyz', 'qemu:00\nqemu:11\n']) {
    writeFileSync(join(files.tlsDir, 'keys.psk'), text);
    writeFileSync(files.keptKey, text);
    assert.throws(() => readPsk(files), { code: 'QEMU_IO', hint: /restart the machine/ });
  }
  rmSync(files.tlsDir, { recursive: true });
  assert.throws(() => readPsk(files), { code: 'QEMU_IO' });
});
