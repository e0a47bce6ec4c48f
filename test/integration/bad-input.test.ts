import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { run } from '../../src/system/process/exec.ts';
import { assertDocument, assertError } from '../support/documents.ts';
import { type Lab, LIGHT, lab } from '../support/lab.ts';
import { repoRoot } from '../support/repo.ts';

/** What `check` and `start` say of a file. They have to agree, with exit 6, and nothing may be started or made. */
async function problemsOf(root: Lab, text: string | Uint8Array, name = 'web'): Promise<string> {
  root.write(`etc/qemu/${name}-qemu.cfg`, text);
  const checked = await root.init('check', name);
  assert.equal(checked.code, 6, checked.stderr);
  const started = await root.init('start', name);
  assert.equal(started.code, 6, started.stderr);
  assert.doesNotMatch(checked.stderr + started.stderr, /Internal error/);
  for (const line of checked.stderr.trim().split('\n')) {
    assert.ok(started.stderr.includes(line), `start does not say: ${line}\nbut: ${started.stderr}`);
  }
  assert.deepEqual(root.qemus(), []);
  return checked.stderr.replaceAll(`${root.etcDir}/`, '');
}

const HEAD = 'RAM=8M\nKVM=off\n';

test('all problems of a file are told together, each with its line, and the nearest known key', async (t) => {
  const root = lab(t);
  const said = await problemsOf(
    root,
    `${HEAD}RMA=1G\nRAM=lots\nDSK1=missing.img\nDSK3=c.img\nNIC1=e1001\nVNC=perhaps\nSMP=0\n`,
  );
  for (const [line, text] of [
    [3, /"RMA".*RAM/],
    [4, /RAM/],
    [6, /DSK3.*DSK2/],
    [8, /VNC "perhaps"/],
    [9, /SMP/],
  ] as const) {
    const found = said.split('\n').find((each) => each.startsWith(`web-qemu.cfg:${line}: `));
    assert.match(found ?? `nothing on line ${line}:\n${said}`, text);
  }
});

test('what is only seen on the host is told together too: images, formats, cards, boards', async (t) => {
  const root = lab(t);
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', join(root.etcDir, 'a.img'), '1M']);
  mkdirSync(join(root.etcDir, 'folder.img'));
  const text = `${HEAD}MACHINE=q36\nDSK1=a.img,format=raw\nDSK2=missing.img\nDSK3=folder.img\nCDR1=none.iso\nNIC1=e1001,net=none\n`;
  const said = await problemsOf(root, text);
  for (const [line, pattern] of [
    [3, /MACHINE "q36" is unknown to QEMU/],
    [4, /declared format=raw, but ".*a\.img" is qcow2 \(.*declare format=qcow2/],
    [5, /missing\.img" does not exist/],
    [6, /folder\.img/],
    [7, /CDR1 ".*none\.iso" does not exist/],
    [8, /no network card "e1001"/],
  ] as const) {
    const found = said.split('\n').find((each) => each.startsWith(`web-qemu.cfg:${line}: `));
    assert.match(found ?? `nothing on line ${line}:\n${said}`, pattern);
  }
  const checked = await root.init('check', 'web', '--json');
  assert.equal(checked.code, 6);
  assertDocument(JSON.parse(checked.stdout), 'check');
});

test('an image or a MAC that another machine has is told by check, with both names; start refuses what is in use', async (t) => {
  const root = lab(t);
  root.add('web', 'NIC1=virtio-net-pci,net=user,mac=52:54:00:00:00:01\n');
  root.add('db', 'DSK1=./web.img\nNIC1=virtio-net-pci,net=user,mac=52:54:00:00:00:01\n');
  const checked = await root.init('check', 'db');
  assert.equal(checked.code, 6);
  assert.match(checked.stderr, /db-qemu\.cfg:\d+: DSK1 ".*web\.img" is DSK1 of machine "web" too/);
  assert.match(checked.stderr, /db-qemu\.cfg:\d+: NIC1 has the address 52:54:00:00:00:01 of NIC1 of machine "web"/);
  linkSync(join(root.etcDir, 'web.img'), join(root.etcDir, 'link.img'));
  root.add('hard', 'DSK1=link.img\n');
  assert.match(
    (await root.init('check', 'hard')).stderr,
    /hard-qemu\.cfg:\d+: DSK1 ".*link\.img" is DSK1 of machine "web" too/,
  );
  const all = await root.init('check');
  assert.equal(all.code, 6);
  assert.match(all.stderr, /web-qemu\.cfg:\d+: DSK1/);
  await root.ok('start', 'web');
  const second = await root.init('start', 'db');
  assert.equal(second.code, 6, second.stderr);
  assert.match(second.stderr, /db-qemu\.cfg:\d+: DSK1.*\n.*db-qemu\.cfg:\d+: NIC1 has the address/);
  // Without the address the image is left, which QEMU has locked.
  root.write('etc/qemu/third-qemu.cfg', `${LIGHT}DSK1=web.img\n`);
  const third = await root.init('start', 'third');
  assert.equal(third.code, 6);
  assert.match(third.stderr, /third-qemu\.cfg:\d+: DSK1 ".*web\.img" is DSK1 of machine "web" too/);
  assert.equal(root.qemus().length, 1);
  assert.equal(await root.state('web'), 'running');
  await root.ok('kill', 'web');
});

test('files that are none: a folder, NUL bytes, binary garbage, very long lines, a file that is missing', async (t) => {
  const root = lab(t);
  assert.match(await problemsOf(root, `${HEAD}NAME=a\0b\n`), /web-qemu\.cfg:3: /);
  assert.match(
    await problemsOf(root, Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0xff, 0xfe, 0x00, 0x0a])),
    /web-qemu\.cfg:1: /,
  );
  assert.match(await problemsOf(root, `${HEAD}DESC=${'x'.repeat(100_000)}\n`), /web-qemu\.cfg:3: .{1,400}\n/);
  assert.match(await problemsOf(root, `${HEAD}${'y'.repeat(100_000)}=1\n`), /web-qemu\.cfg:3: .{1,400}\n/);
  mkdirSync(join(root.etcDir, 'folder-qemu.cfg'));
  for (const action of ['check', 'start', 'showcmd', 'explain']) {
    const result = await root.init(action, 'folder');
    assert.equal(result.code, 6, `${action}: ${result.stderr}`);
    assert.match(result.stderr, /folder-qemu\.cfg: This is a folder, not a file/);
  }
  root.write('etc/qemu/qemu-init.reg', 'gone=gone\n');
  const gone = await root.init('start', 'gone');
  assert.equal(gone.code, 6);
  assert.match(gone.stderr, /gone-qemu\.cfg: The file does not exist/);
});

test('names that are none are refused wherever one is given', async (t) => {
  const root = lab(t);
  const path = root.add('web');
  for (const name of ['x'.repeat(41), 'a/b', '../web', '-web', '', 'ä', 'a b']) {
    const result = await root.init('register', '--', name, path);
    assert.ok(result.code === 2 || result.code === 6, `${name}: ${result.code} ${result.stderr}`);
    assert.doesNotMatch(result.stderr, /Internal error/);
  }
  for (const name of ['x'.repeat(41), 'no/where', 'nobody', '..', 'wbe']) {
    const result = await root.init('start', name);
    assert.equal(result.code, 6, `${name}: ${result.stderr}`);
  }
  assert.match((await root.init('status', 'wbe')).stderr, /did you mean "web"/);
  assert.match(await problemsOf(root, `${HEAD}NAME=a/b\n`), /web-qemu\.cfg:3: NAME "a\/b" is not a valid name/);
  assert.equal(root.qemus().length, 0);
});

test('with --json what cannot be done at all is a document too', async (t) => {
  const root = lab(t);
  root.add('web');
  for (const args of [['showcmd'], ['explain'], ['log'], ['wait'], ['register'], ['security'], ['reload']]) {
    const { code, stdout } = await root.init(...args, 'wbe', '--json');
    assert.equal(code, 6, `${args}`);
    const [failure, ...more] = JSON.parse(stdout);
    assert.deepEqual([failure.name, more], ['wbe', []], `${args}`);
    assertError(failure.error);
  }
  assert.deepEqual(JSON.parse(await root.ok('log', 'web', '--json')), [
    { name: 'web', path: join(root.logDir, 'web.log'), text: '' },
  ]);
});

test('a broken registry, monitor.conf or defaults file is named with its line, and stops only what needs it', async (t) => {
  const root = lab(t);
  root.add('web');
  root.write('etc/qemu/qemu-init.reg', 'web=web\nWEB=other\nbad name=x\n');
  const listed = await root.init('list');
  assert.equal(listed.code, 6);
  assert.match(listed.stdout, /web/);
  assert.match(listed.stderr, /qemu-init\.reg:2: [\s\S]*qemu-init\.reg:3: /);
  await root.ok('start', 'web');

  root.write('etc/qemu/defaults-qemu.cfg', 'RAM=8M\nBOOTORDR=1\n');
  const refused = await root.init('restart', 'web');
  assert.notEqual(refused.code, 0);
  assert.match(refused.stderr, /defaults-qemu\.cfg:2: .*BOOTORDER/);
  assert.equal((await root.init('stop', 'web', '--force')).code, 0);

  root.write('etc/qemu/defaults-qemu.cfg', '');
  root.write('etc/qemu/monitor.conf', 'MONPORT=many\nTLSS=psk\n');
  for (const action of ['start', 'list', 'check', 'showcmd']) {
    const result = await root.init(action, ...(action === 'list' ? [] : ['web']));
    assert.equal(result.code, 6, action);
    assert.match(result.stderr, /monitor\.conf:1: [\s\S]*monitor\.conf:2: .*TLS/);
  }
  assert.equal((await root.init('status', 'web')).code, 3);
});

test('a running machine is looked at and stopped with a broken monitor.conf and registry, which --all tells of', async (t) => {
  const root = lab(t);
  root.add('web');
  await root.ok('start', 'web');
  root.write('etc/qemu/monitor.conf', 'MONPORT=many\n');
  assert.equal(await root.state('web'), 'running');
  await root.ok('stop', 'web', '--force');
  root.write('etc/qemu/monitor.conf', '');
  root.write('etc/qemu/qemu-init.reg', '\0');
  for (const choice of ['--all', '--autostart']) {
    const started = await root.init('start', choice);
    assert.equal(started.code, 6, choice);
    assert.match(started.stderr, /qemu-init\.reg/);
  }
});

test('$(touch x), backticks and $HOME are text wherever they stand', async (t) => {
  const root = lab(t);
  const bait = '$(touch x)`touch x`$HOME;touch x|touch x&';
  root.write(`etc/qemu/${bait.replaceAll('/', '')}.img`, new Uint8Array(512));
  root.add(
    'web',
    `DESC=${bait}\nOS=${bait}\nDSK1=${bait}.img\nPRECMD=/bin/echo ${bait.replaceAll('`', '')}\n[custom]\n-fw_cfg name=opt/org.x,string='${bait}'\n`,
  );
  await root.ok('start', 'web');
  const listed = await root.json('list');
  assert.equal(listed[0]?.['description'], bait);
  assert.match(await root.ok('showcmd', 'web', '--json'), /\$\(touch x\)/);
  await root.ok('kill', 'web');
  const everything = readdirSync(root.dir, { recursive: true, encoding: 'utf8' });
  assert.deepEqual(
    everything.filter((name) => name === 'x' || name.endsWith('/x')),
    [],
  );
  assert.ok(!existsSync('x'));
});

test('devices of the host that are not there are named', async (t) => {
  const root = lab(t);
  const problems = await problemsOf(root, `${HEAD}USB1=1234:5678\nPCI1=ff:1f.7\n`);
  assert.match(
    problems,
    /:3: USB1 "1234:5678" is not plugged in.*\n(?:.*\n)?.*:4: PCI1 "0000:ff:1f\.7" does not exist on this host/,
  );
});

test('usage errors are exit 2, and what comes later is exit 3', async (t) => {
  const root = lab(t);
  root.add('web');
  const usage = [
    [],
    ['frobnicate'],
    ['start', 'web', '--frobnicate'],
    ['start', '--all', 'web'],
    ['start', 'web', '--paused', '--preconfig'],
    ['start', 'web', '--parallel', '0'],
    ['stop', 'web', '--timeout', 'soon'],
    ['stop'],
    ['wait'],
    ['list', '--system', '--user'],
    ['start', 'web', '--timeout', '1'],
    ['stop', 'web', '--timeout', '1', '--timeout', '2'],
  ];
  for (const args of usage) {
    const result = await root.init(...args);
    assert.equal(result.code, 2, `${args.join(' ')}: ${result.stdout}${result.stderr}`);
    assert.equal(result.stdout, '');
    assert.doesNotMatch(result.stderr, /Internal error|\n {4}at /);
  }
  assert.match((await root.init('strat', 'web')).stderr, /There is no action "strat"\n {2}hint: did you mean "start"/);
  assert.equal((await root.init('--timeout', '0.1', 'stop', 'web')).code, 0);
  assert.equal((await root.init('status', '--', 'web')).code, 3);
  assert.equal((await root.init('snapshot', 'web')).code, 2);
});

test('a reader that leaves early and a working folder that is gone are no crash; a full disk is an error', async (t) => {
  const root = lab(t);
  root.add('web');
  const sh = async (script: string): Promise<{ exitCode: number | undefined; stderr: string }> =>
    run('sh', ['-c', script, join(repoRoot, 'bin/qemu-init')], { env: { ...process.env, QEMU_INIT_ROOT: root.dir } });
  assert.equal((await sh('{ "$0" showcmd web; echo $? >&2; } | true')).stderr, '0\n');
  assert.equal(
    (await sh('mkdir "$QEMU_INIT_ROOT/gone" && cd "$QEMU_INIT_ROOT/gone" && rmdir . ../gone; "$0" showcmd web'))
      .exitCode,
    0,
  );
  const full = await sh('"$0" showcmd web >/dev/full');
  assert.equal(full.exitCode, 1);
  assert.match(full.stderr, /Cannot write the result/);
});

test('check finds what a start would fail on: programs, firmware, processors, hooks, other machines', async (t) => {
  const root = lab(t);
  root.add('web', 'CPU=qemu65\nFIRMWARE=/nowhere\nPRECMD=/nowhere/pre\nPOSTSTOP=/nowhere/post\n');
  root.add('app', 'REQUIRES=db\n');
  root.add('db', 'NIC1=virtio-net-pci\nREQUIRES=nobody\n');
  const said = await problemsOf(root, readFileSync(join(root.etcDir, 'web-qemu.cfg'), 'utf8'));
  for (const pattern of [
    /web-qemu\.cfg:\d+: CPU "qemu65" is unknown to QEMU \S+ \(did you mean "qemu64"\?\)/,
    /web-qemu\.cfg:\d+: FIRMWARE "\/nowhere" does not exist/,
    /web-qemu\.cfg:\d+: PRECMD "\/nowhere\/pre" does not exist, or is not a program/,
    /web-qemu\.cfg:\d+: Warning: POSTSTOP "\/nowhere\/post" does not exist, or is not a program/,
  ]) {
    assert.match(said, pattern);
  }
  assert.match(
    (await root.init('check', 'app')).stderr,
    /app-qemu\.cfg:\d+: Machine "db" cannot be started: There is no machine "nobody"/,
  );
  const hook = await root.init('check', 'db');
  assert.match(
    hook.stderr,
    /db-qemu\.cfg:\d+: Warning: NIC1 needs ".*qemu-brup" and ".*qemu-brdown" \(NETIF=hook\), missing here/,
  );
  assert.match(hook.stderr, /db-qemu\.cfg:\d+: Warning: NIC1: there is no bridge "br0" now/);
});

test('a machine whose file has mistakes starts nothing of what it requires', async (t) => {
  const root = lab(t);
  root.add('db');
  root.add('web', 'SMP=lots\nREQUIRES=db\n');
  assert.equal((await root.init('start', 'web')).code, 6);
  assert.equal(await root.state('db'), 'stopped');
});

test('what is missing on the host alone is no mistake in the file', async (t) => {
  const root = lab(t);
  root.add('web', 'TGTARCH=qemu-system-nope\n');
  root.add('db', 'PRECMD=/nowhere\n');
  for (const name of ['web', 'db']) {
    assert.equal((await root.init('check', name)).code, 5);
    const started = await root.init('start', name);
    assert.equal(started.code, 5);
    assert.match(started.stderr, /-qemu\.cfg:\d+: /);
  }
});

test('a registration that is refused leaves nothing', async (t) => {
  const root = lab(t);
  root.add('web', 'NIC1=virtio-net-pci,net=user,mac=52:54:00:00:00:01\n');
  await root.ok('unregister', 'web');
  await root.ok('register', 'web');
  root.write('etc/qemu/db-qemu.cfg', `${LIGHT}NIC1=virtio-net-pci,net=user,mac=52:54:00:00:00:01\n`);
  for (const attempt of [1, 2]) {
    const { code, stderr } = await root.init('register', 'db');
    assert.equal(code, 6, `attempt ${attempt}`);
    assert.match(stderr, /db-qemu\.cfg:\d+: NIC1 has the address 52:54:00:00:00:01 of NIC1 of machine "web"/);
  }
  assert.doesNotMatch(await root.ok('list'), /db/);
});

test('the addresses of a machine that was only started by its path are freed by unregister', async (t) => {
  const root = lab(t);
  const fixed = 'NIC1=virtio-net-pci,net=user,mac=52:54:00:00:00:01\n';
  const path = root.write('etc/qemu/db-qemu.cfg', `${LIGHT}${fixed}`);
  assert.match((await root.init('unregister', 'db')).stderr, /nothing to do/);
  await root.ok('start', path);
  assert.equal((await root.init('unregister', 'db')).code, 1);
  await root.ok('stop', '--force', path);
  await root.ok('unregister', 'db');
  root.add('web', fixed);
  await root.ok('check', 'web');
});

test('an address that the file of another machine fixes is derived for nobody else', async (t) => {
  const root = lab(t);
  root.write('etc/qemu/db-qemu.cfg', `${LIGHT}NIC1=virtio-net-pci,net=user\n`);
  await root.ok('register', 'db');
  const [{ nics }] = JSON.parse(await root.ok('list', '--macs', '--json'));
  const [{ mac }] = nics;
  await root.ok('unregister', 'db');
  // Never started, and so without a lease.
  root.add('web', `NIC1=virtio-net-pci,net=user,mac=${mac}\n`);
  await root.ok('register', 'db');
  assert.equal((await root.init('start', 'web')).code, 0);
  await root.ok('kill', 'web');
});

test('a registry that cannot be written leaves no lease either', async (t) => {
  const root = lab(t);
  root.add('db', 'NIC1=virtio-net-pci,net=user,mac=52:54:00:00:00:01\n');
  await root.ok('unregister', 'db');
  const registry = join(root.etcDir, 'qemu-init.reg');
  // Not to be replaced by a file, whoever tries.
  rmSync(registry, { force: true });
  mkdirSync(join(registry, 'full'), { recursive: true });
  assert.notEqual((await root.init('register', 'db')).code, 0);
  rmSync(registry, { recursive: true });
  root.add('web', 'NIC1=virtio-net-pci,net=user,mac=52:54:00:00:00:01\n');
  await root.ok('check', 'web');
});
