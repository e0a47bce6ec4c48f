import assert from 'node:assert/strict';
import { openSync, readFileSync, writeSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { run } from '../../src/system/exec.ts';
import { parseJson } from '../support/cli.ts';
import { type JsonObject, lab } from '../support/lab.ts';

test('doctor finds nothing on a host where all is well', async (t) => {
  const host = lab(t);
  host.add('web');
  const { code, stdout } = await host.init('doctor');
  assert.deepEqual({ code, stdout }, { code: 0, stdout: 'no problem found\n' });
});

test('doctor tells what is wrong with machines, images and files, with what to do, and exit status 1', async (t) => {
  const host = lab(t);
  host.add('killed');
  host.add('wrong', 'SMP=many\n');
  host.add('open', 'VNC=0.0.0.0\n');
  host.add('nowhere', 'TGTARCH=qemu-system-pdp11\n');
  const image = join(host.etcDir, 'marked.qcow2');
  await run('qemu-img', ['create', '-q', '-f', 'qcow2', image, '1M']);
  host.add('marked', `DSK1=${image}\n`);
  writeSync(openSync(image, 'r+'), Buffer.from([3]), 0, 1, 79);
  await host.ok('start', 'killed');
  process.kill(Number(readFileSync(host.file('killed', 'qemu', 'pid'), 'utf8')), 'SIGKILL');

  const result = await host.init('doctor', '--json');
  assert.equal(result.code, 1);
  const findings = parseJson(result) as JsonObject[];
  const has = (machine: string | null, pattern: RegExp): void => {
    const found = findings.find((each) => each['machine'] === machine && pattern.test(String(each['title'])));
    assert.ok(found, `${machine} ${pattern}: ${result.stdout}`);
    assert.notEqual(found['fix'], '');
  };
  has('killed', /QEMU was killed/);
  has('wrong', /SMP "many"/);
  has('open', /VNC "0\.0\.0\.0"/);
  has('marked', /Damaged image/);
  has(null, /No QEMU "qemu-system-pdp11"/);
});

test('security tells what a running QEMU may do and what could be tighter', async (t) => {
  const host = lab(t);
  host.add('web', 'SANDBOX=on\nNETIF=managed\n');
  host.add('off');
  await host.ok('start', 'web');
  const web = await host.one('security', 'web');
  assert.equal(web['seccomp'], 'filter');
  const { username, uid } = userInfo();
  assert.equal(web['user'], username);
  assert.equal(/RUNAS=qemu/.test(String(web['advice'])), uid === 0);
  const ports = web['listening'] as { address: string; port: number }[];
  assert.ok(ports.some(({ address }) => address === '127.0.0.1'));
  const files = web['files'] as { path: string; mode: string }[];
  assert.equal(files.find(({ path }) => path === host.file('web'))?.mode, '0700');
  assert.equal((await host.init('security', 'off')).code, 7);
  await host.ok('stop', '--all');
});
