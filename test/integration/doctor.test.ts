import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, chmodSync, closeSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { run } from '../../src/system/process/exec.ts';
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
  has('wrong', /SMP must be a whole number from 1 to 1024, not "many"/);
  has('open', /VNC "0\.0\.0\.0"/);
  has('marked', /Damaged image/);
  has(null, /No QEMU "qemu-system-pdp11"/);
});

test('doctor reads the tables of images, and tells one that another program has open, but not of a cluster', async (t) => {
  const host = lab(t);
  const make = async (name: string): Promise<string> => {
    const image = join(host.etcDir, `${name}.qcow2`);
    await run('qemu-img', ['create', '-q', '-f', 'qcow2', image, '1M']);
    host.add(name, `DSK1=${image}\n`);
    return image;
  };
  const torn = await make('torn');
  await run('qemu-io', ['-c', 'write 0 64k', torn]);
  // The entry of the second cluster, which holds the refcounts, in the first refcount block: now nobody uses it.
  const fd = openSync(torn, 'r+');
  writeSync(fd, Buffer.alloc(2), 0, 2, 2 * 65_536 + 2);
  closeSync(fd);
  const taken = await make('taken');
  const other = await run('qemu-img', ['info', taken]);
  assert.equal(other.exitCode, 0, other.stderr);
  const holder = spawn('qemu-io', [taken], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => holder.kill('SIGKILL'));
  await once(holder.stdout, 'data');

  const { code, findings } = await examined(host);
  assert.equal(code, 1);
  assert.match(titlesOf(findings, 'torn'), /^Damaged image$/m);
  assert.match(titlesOf(findings, 'taken'), /^Image is in use$/m);

  // A machine of a cluster may run on another node: only what would start it here as well is wrong.
  const primitive = '<primitive id="vm" class="ocf" provider="qemu-init" type="machine">';
  host.write(
    'var/lib/pacemaker/cib/cib.xml',
    `${primitive}<instance_attributes id="i"><nvpair id="n" name="machine" value="taken"/></instance_attributes></primitive>`,
  );
  appendFileSync(join(host.etcDir, 'taken-qemu.cfg'), 'AUTOSTART=on\n');
  const { findings: clustered } = await examined(host);
  assert.match(titlesOf(clustered, 'taken'), /^AUTOSTART is on, but the cluster \(resource "vm"\) starts the machine/m);
  assert.doesNotMatch(titlesOf(clustered, 'taken'), /Image/);
});

test('doctor warns of what is exposed, and warnings alone are exit status 0', async (t) => {
  const host = lab(t);
  writeFileSync(join(host.etcDir, 'password'), 'secret\n', { mode: 0o600 });
  host.add('open', 'VNC=0.0.0.0,password=password\n');
  writeFileSync(join(host.etcDir, 'monitor.conf'), 'TLS=off\n');
  const { code, findings } = await examined(host);
  assert.equal(code, 0);
  assert.match(titlesOf(findings, 'open'), /^VNC is open to other hosts$/m);
  assert.match(titlesOf(findings, 'open'), /^TLS=off/m);

  chmodSync(join(host.etcDir, 'open-qemu.cfg'), 0o666);
  const opened = await examined(host);
  assert.equal(opened.code, 1);
  assert.match(titlesOf(opened.findings, null), /^Others may change the configuration$/m);
});

test('security tells what a running QEMU may do and what could be tighter', async (t) => {
  const host = lab(t);
  host.add('web', 'SANDBOX=on\nNETIF=managed\nVNC=on\n');
  host.add('off');
  host.add('shut', 'VNC=unix\n');
  await host.ok('start', 'web', 'shut');
  const web = await host.one('security', 'web');
  assert.equal(web['seccomp'], 'filter');
  const { username, uid } = userInfo();
  assert.equal(web['user'], username);
  assert.equal(/RUNAS=auto/.test(String(web['advice'])), uid === 0);
  const ports = web['listening'] as { address: string; port: number }[];
  assert.ok(ports.some(({ address }) => address === '127.0.0.1'));
  const files = web['files'] as { path: string; mode: string }[];
  assert.equal(files.find(({ path }) => path === host.file('web'))?.mode, '0700');
  assert.equal((await host.init('security', 'off')).code, 7);

  // Any local user could use the screen, but for that on a socket.
  const { port } = Object((await host.one('status', 'web'))['vnc']);
  assert.match(String(web['advice']), new RegExp(`every user of this host can see and use the screen at port ${port}`));
  assert.match(
    (await host.init('check', 'web')).stderr,
    /web-qemu\.cfg:\d+: .*every user of this host can see the screen/,
  );
  assert.doesNotMatch(String((await host.one('security', 'shut'))['advice']), /screen/);
  assert.doesNotMatch((await host.init('check', 'shut')).stderr, /screen/);
  assert.equal((await host.one('vnc', 'web'))['viewer'], `vnc://127.0.0.1:${port}`);
  const shut = await host.one('vnc', 'shut');
  assert.equal(shut['socket'], host.file('shut', 'qemu', 'vnc.sock'));
  assert.match(
    await host.ok('vnc', 'shut'),
    /ssh -N -L 5900:\/.*\/shut\/qemu\/vnc\.sock \S+@\S+\n.*vnc:\/\/localhost:5900/,
  );
  assert.equal((await host.init('vnc', 'off')).code, 7);
  await host.ok('stop', '--all');
});

type Lab = ReturnType<typeof lab>;

async function examined(host: Lab): Promise<{ code: number | null | undefined; findings: JsonObject[] }> {
  const result = await host.init('doctor', '--json');
  return { code: result.code, findings: parseJson(result) as JsonObject[] };
}

/** One a line. */
function titlesOf(findings: readonly JsonObject[], machine: string | null): string {
  return findings
    .filter((each) => each['machine'] === machine)
    .map((each) => String(each['title']))
    .join('\n');
}
