import assert from 'node:assert/strict';
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { writeGuestDisk } from '../../scripts/guest-disk.mjs';
import type { CliResult } from '../support/cli.ts';
import { assertDocument } from '../support/documents.ts';
import { type JsonObject, type Lab, LIGHT, lab } from '../support/lab.ts';

/** Runs `edit` with an editor that is a shell script; the file to edit is its "$1". */
function edit(root: Lab, script: string, ...args: readonly string[]): Promise<CliResult> {
  const editor = root.write('editor.sh', script);
  return root.run('qemu-init', ['edit', ...args], { env: { VISUAL: undefined, EDITOR: `/bin/sh "${editor}"` } });
}

test('register and unregister change the registry by one line, keep all else, and lease and free addresses', async (t) => {
  const root = lab(t);
  const path = root.write('machines/deep/web-qemu.cfg', `${LIGHT}NIC1=virtio-net-pci,net=user\nDESC=the web\n`);
  root.write('etc/qemu/db-qemu.cfg', LIGHT);
  root.write('etc/qemu/qemu-init.reg', '; my machines\n\n# more\n');
  const registered = await root.json('register', 'w', path);
  assertDocument(registered, 'registration');
  await root.ok('register', 'db');
  const text = readFileSync(join(root.etcDir, 'qemu-init.reg'), 'utf8');
  assert.equal(text, `; my machines\n\n# more\nw=${root.dir}/machines/deep/web\ndb=db\n`);
  assert.match(readFileSync(join(root.stateDir, 'macs.json'), 'utf8'), /DE:AD:BE:EF/);

  const listed = await root.json('list');
  assertDocument(listed, 'list');
  assert.deepEqual(
    listed.map(({ shortName, name, state, description }) => [shortName, name, state, description]),
    [
      ['w', 'web', 'stopped', 'the web'],
      ['db', 'db', 'stopped', ''],
    ],
  );
  assert.match(await root.ok('list', '--macs'), /NIC1=DE:AD:BE:EF:/);
  assertDocument(await root.json('check'), 'check');

  const shortFile = root.write('machines/short.cfg', LIGHT);
  for (const args of [
    [shortFile],
    ['W', path],
    ['x', path],
    ['db', 'web'],
    ['nothing'],
    ['y', join(root.dir, 'no-qemu.cfg')],
  ]) {
    const refused = await root.init('register', ...args);
    assert.equal(refused.code, 6, `${args}: ${refused.stderr}`);
  }
  assert.equal(readFileSync(join(root.etcDir, 'qemu-init.reg'), 'utf8'), text);

  for (const args of [
    ['w', path],
    ['w', join(root.dir, 'machines/deep/web')],
    ['db'],
    ['db', join(root.etcDir, 'db-qemu.cfg')],
  ]) {
    const again = await root.json('register', ...args);
    assertDocument(again, 'registration');
    assert.equal(again[0]?.['outcome'], 'unchanged', `${args}`);
  }
  assert.match(await root.ok('register', 'db'), /^db: unchanged, already registered as "db"/);
  assert.equal(readFileSync(join(root.etcDir, 'qemu-init.reg'), 'utf8'), text);

  await root.ok('start', 'web');
  assert.equal((await root.init('unregister', 'web')).code, 1);
  await root.ok('kill', 'web');
  assertDocument(await root.json('unregister', 'web'), 'registration');
  assert.equal(readFileSync(join(root.etcDir, 'qemu-init.reg'), 'utf8'), '; my machines\n\n# more\ndb=db\n');
  assert.doesNotMatch(readFileSync(join(root.stateDir, 'macs.json'), 'utf8'), /DE:AD:BE:EF/);
  assert.ok(existsSync(path), 'the file of the machine stays');
  for (const unknown of ['web', 'nothing', path, join(root.dir, 'none-qemu.cfg')]) {
    const { code, stderr } = await root.init('unregister', unknown);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /is not registered: nothing to do/);
  }
  const [nothing] = await root.json('unregister', 'web');
  assert.deepEqual(nothing, { name: 'web', shortName: null, configPath: null, outcome: 'unchanged' });
});

test('twenty machines registered at once are all there', async (t) => {
  const root = lab(t);
  const names = Array.from({ length: 20 }, (_, at) => `m${at}`);
  for (const name of names) root.write(`etc/qemu/${name}-qemu.cfg`, `${LIGHT}NIC1=virtio-net-pci,net=user\n`);
  const results = await Promise.all(names.map((name) => root.init('register', name)));
  for (const { code, stderr } of results) assert.equal(code, 0, stderr);
  const listed = await root.json('list', '--macs');
  assert.deepEqual(listed.map(({ name }) => name).sort(), names.toSorted());
  assert.equal(new Set(listed.map(({ nics }) => JSON.stringify(nics))).size, names.length);
});

test('edit installs a good text and never a bad one, for machines, registry, monitor.conf and defaults', async (t) => {
  const root = lab(t);
  const path = root.add('web');
  const before = readFileSync(path, 'utf8');
  const bad = await edit(root, 'echo RMA=1G >>"$1"', 'web');
  assert.equal(bad.code, 6);
  assert.match(bad.stderr, /was not changed[\s\S]*web-qemu\.cfg:9: .*"RMA".*RAM/);
  assert.equal(readFileSync(path, 'utf8'), before);

  const failed = await edit(root, 'echo DESC=x >>"$1"; exit 3', 'web');
  assert.equal(failed.code, 1);
  assert.equal(readFileSync(path, 'utf8'), before);
  assert.match((await edit(root, 'true', 'web')).stdout, /unchanged/);

  const good = await edit(root, 'echo "DESC=by hand" >>"$1"', 'web');
  assert.equal(good.code, 0, good.stderr);
  assert.equal(readFileSync(path, 'utf8'), `${before}DESC=by hand\n`);

  for (const [option, wrong, right, file] of [
    ['--registry', 'web=again', 'other=other', 'qemu-init.reg'],
    ['--monitor', 'TLS=maybe', 'TLS=off', 'monitor.conf'],
    ['--defaults', 'DSK1=x.img', 'STOPDELAY=5', 'defaults-qemu.cfg'],
  ] as const) {
    const place = join(root.etcDir, file);
    const old = existsSync(place) ? readFileSync(place, 'utf8') : undefined;
    const refused = await edit(root, `echo ${wrong} >>"$1"`, option);
    assert.equal(refused.code, 6, `${option}: ${refused.stderr}`);
    assert.equal(existsSync(place) ? readFileSync(place, 'utf8') : undefined, old);
    const taken = await edit(root, `echo ${right} >>"$1"`, option);
    assert.equal(taken.code, 0, `${option}: ${taken.stderr}`);
    assert.equal(readFileSync(place, 'utf8'), `${old ?? ''}${right}\n`);
  }
  assert.deepEqual(
    readdirSync(root.etcDir).filter((name) => name.startsWith('.')),
    [],
    'no copies are left',
  );
  assert.equal(
    (await root.run('qemu-init', ['edit', 'web'], { env: { EDITOR: 'no-such-editor', PATH: '/usr/bin:/bin' } })).code,
    5,
  );
});

test('edit does not write over what somebody else changed meanwhile, and keeps the text', async (t) => {
  const root = lab(t);
  const path = root.add('web');
  const clash = await edit(root, `echo DESC=mine >>"$1"; echo DESC=theirs >>"${path}"`, 'web');
  assert.equal(clash.code, 1);
  assert.match(readFileSync(path, 'utf8'), /DESC=theirs\n$/);
  const copy = /your text is in "([^"]+)"/.exec(clash.stderr)?.[1] ?? '';
  assert.match(readFileSync(copy, 'utf8'), /DESC=mine\n$/);
});

test('edit on a terminal asks what to do with a bad text: edit again, or leave the file as it was', async (t) => {
  const root = lab(t);
  const path = root.add('web');
  const before = readFileSync(path, 'utf8');
  const editor = root.write(
    'editor.sh',
    'if grep -q RMA "$1"; then sed -i s/RMA=1G/DESC=fixed/ "$1"; else echo RMA=1G >>"$1"; fi\n',
  );
  for (const [answer, code, text] of [
    ['x\r', 6, before],
    ['\x04', 6, before],
    ['\x03', 130, before],
    ['e\r', 0, `${before}DESC=fixed\n`],
  ] as const) {
    const session = root.spawn('qemu-init', ['edit', 'web'], { tty: true, env: { EDITOR: `/bin/sh "${editor}"` } });
    await session.waitForOutput(/RMA[\s\S]*Edit again/);
    session.write(answer);
    const result = await session.result;
    assert.equal(result.code, code, `${JSON.stringify(answer)}: ${result.stdout}`);
    assert.equal(readFileSync(path, 'utf8'), text);
  }
  assert.ok(!readdirSync(root.etcDir).some((name) => name.startsWith('.edit')));
});

test('edit keeps the mode of the file', async (t) => {
  const root = lab(t);
  const path = root.add('web');
  chmodSync(path, 0o640);
  assert.equal((await edit(root, 'echo DESC=x >>"$1"', 'web')).code, 0);
  assert.equal(statSync(path).mode & 0o777, 0o640);
});

/** Both forms of the seed. */
const JSON_MACHINE = {
  vm: { name: 'ozone', uuid: '6ba7b810-9dad-41d1-80b4-00c04fd430c8', created_at: '2024-01-01T00:00:00Z' },
  cpu: { cores: 2, type: 'qemu64' },
  memory: { size_mb: 24 },
  network: { interface: 'virbr0', type: 'virtio-net-pci', mac: '52:54:00:12:34:56' },
  disk: { name: 'root', path: 'ozone.img', size_gb: 1, format: 'raw' },
};

test('a JSON machine starts as it is, and import turns it into a cfg file with the same command line', async (t) => {
  const root = lab(t);
  root.ownPorts();
  const path = root.write('vms/ozone.json', JSON.stringify(JSON_MACHINE));
  root.write('vms/ozone.img', new Uint8Array(1024 ** 2));
  root.write('etc/qemu/defaults-qemu.cfg', 'KVM=off\nNETIF=managed\n');
  assert.equal((await root.init('check', path)).code, 0);
  const shown = await root.one('showcmd', path);
  const text = (shown['args'] as string[]).join(' ');
  for (const part of [
    '-m 24M',
    '-cpu qemu64',
    '-smp 2',
    `file=${root.dir}/vms/ozone.img,format=raw`,
    '6ba7b810',
    '52:54:00:12:34:56',
  ]) {
    assert.ok(text.includes(part), `${part} is not in ${text}`);
  }
  assert.equal((await root.init('import', path, '--output', join(root.dir, 'vms'))).code, 0);
  const printed = await root.ok('import', path, '--output', '-');
  assert.equal(printed, readFileSync(join(root.dir, 'vms/ozone-qemu.cfg'), 'utf8'));
  assert.equal((await root.init('import', path, '--output', join(root.dir, 'vms'))).code, 1, 'it is there already');
  const imported = await root.one('showcmd', join(root.dir, 'vms/ozone-qemu.cfg'));
  assert.deepEqual(imported['args'], shown['args']);
  // What it states is what others have by default: the defaults of this host must not take its place.
  const usual = { cpu: { cores: 1, type: 'max' }, memory: { size_mb: 2048 }, network: { interface: 'br0' } };
  const plain = root.write('vms/plain.json', JSON.stringify({ ...JSON_MACHINE, ...usual }));
  const { NIC1, RAM, SMP } = Object.fromEntries(
    (await root.ok('import', plain, '--output', '-')).split('\n').map((line) => line.split(/=(.*)/)),
  );
  assert.deepEqual({ NIC1, RAM, SMP }, { NIC1: '"virtio-net-pci,bridge=br0"', RAM: '2G', SMP: '1' });
  assert.equal((await root.init('import', join(root.dir, 'vms/none.json'))).code, 6);
  root.write('vms/bad.json', '{"vm":{"name":"a/b"},"memory":{"size_mb":"much"}}');
  const bad = await root.init('import', join(root.dir, 'vms/bad.json'));
  assert.equal(bad.code, 6);
  assert.match(bad.stderr, /bad\.json[\s\S]*size_mb/);
});

test('a JSON machine is registered, runs, and is stopped', async (t) => {
  const root = lab(t);
  const { network: _, ...rest } = JSON_MACHINE;
  const path = root.write('vms/ozone.json', JSON.stringify(rest));
  writeGuestDisk(join(root.dir, 'vms/ozone.img'));
  root.write('etc/qemu/defaults-qemu.cfg', 'KVM=off\n');
  await root.ok('register', 'o3', path);
  await root.ok('start', 'o3');
  await root.ok('wait', 'ozone', '--for', 'console=ready');
  assert.match((await root.cmd('-c', 'info memory_size_summary', 'o3')).stdout, /base memory: 25165824/);
  assert.equal((await root.one('stop', 'o3'))['rung'], 'powerdown');
});

test('create makes a machine that starts, with its board pinned and its disk, or makes nothing', async (t) => {
  const root = lab(t);
  const created = await root.json('create', 'web', 'RAM=8M', 'KVM=off', 'VNC=off', 'DESC=a "b" # c', '--disk', '16M');
  assertDocument(created, 'create');
  const cfg = readFileSync(join(root.etcDir, 'web-qemu.cfg'), 'utf8');
  assert.match(cfg, /^MACHINE=pc-q35-\d+\.\d+$/m);
  assert.match(cfg, /^DSK1=web\.qcow2,format=qcow2$/m);
  assert.equal((await root.json('list'))[0]?.['description'], 'a "b" # c');
  await root.ok('start', 'web');
  await root.ok('stop', 'web', '--force');

  const made = ['RAM=8M', 'KVM=off', 'VNC=off', 'FIRMWARE=bios', 'BRIDGE_IFNAME=br7'];
  await root.ok('create', 'desk', '--os', 'Windows-10', ...made, '--disk', '16M');
  const desk = readFileSync(join(root.etcDir, 'desk-qemu.cfg'), 'utf8');
  for (const line of [
    'OS=Windows-10',
    'RAM=8M',
    'FIRMWARE=bios',
    'BRIDGE_IFNAME=br7',
    'RTC=localtime',
    'USB=on',
    'SMP=2',
  ]) {
    assert.ok(desk.split('\n').includes(line), line);
  }
  assert.match(desk, /^DSK1=desk\.qcow2,format=qcow2,if=sata$/m);
  await root.ok('start', 'desk');
  await root.ok('stop', 'desk', '--force');

  const before = readdirSync(root.etcDir).sort();
  for (const [args, code] of [
    [['web'], 1],
    [['a/b'], 2],
    [['db', 'RAM'], 2],
    [['db', '--os', 'plan9'], 2],
    [['db', 'RMA=1G'], 6],
    [['db', 'RAM=much', '--disk', '1M'], 6],
    [['db', '--disk', 'big'], 2],
    [['WEB'], 6],
    [['db', 'TGTARCH=qemu-system-abacus'], 5],
  ] as const) {
    const { code: status, stderr } = await root.init('create', ...args);
    assert.equal(status, code, `${args}: ${stderr}`);
  }
  assert.deepEqual(readdirSync(root.etcDir).sort(), before);
});

test('two hundred machines with eight NICs each have 1,600 addresses, whether they are leased or not', async (t) => {
  const root = lab(t);
  const nics = Array.from({ length: 8 }, (_, at) => `NIC${at + 1}=virtio-net-pci,net=user\n`).join('');
  const names = Array.from({ length: 200 }, (_, at) => `m${at}`);
  for (const name of names) root.write(`etc/qemu/${name}-qemu.cfg`, `${LIGHT}${nics}`);
  root.write('etc/qemu/qemu-init.reg', names.map((name) => `${name}=${name}\n`).join(''));
  const listed = await root.json('list', '--macs');
  assert.equal(distinct(listed), 1600);
  assert.equal((await root.init('check', '--all')).code, 0);

  // With some of them leased, in another order than that of the list.
  for (const name of ['m7', 'm99', 'm199']) await root.ok('start', name);
  await root.ok('kill', '--all');
  assert.equal(distinct(await root.json('list', '--macs')), 1600);
});

/** How many different addresses a list has. */
function distinct(listed: readonly JsonObject[]): number {
  return new Set(listed.flatMap(({ nics }) => (nics as { mac: string }[]).map(({ mac }) => mac))).size;
}

test("an image that QEMU's user may not use is told by check and start, and create makes one that it may", async (t) => {
  if (process.getuid?.() !== 0) return t.skip('only root can run QEMU as somebody else');
  const root = lab(t);
  chmodSync(root.dir, 0o755);
  root.write('etc/qemu/defaults-qemu.cfg', 'RUNAS=nobody\nNETIF=managed\n');
  root.add('web');
  const image = join(root.etcDir, 'web.img');
  chmodSync(image, 0o600);
  const checked = await root.init('check', 'web');
  assert.equal(checked.code, 6);
  assert.match(checked.stderr, /User "nobody", which QEMU runs as, may not write ".*web\.img" \(chown nobody/);
  const started = await root.init('start', 'web');
  assert.equal(started.code, 1);
  assert.match(started.stderr, /hint: QEMU runs as "nobody" \(RUNAS\), who may not use it: chown nobody/);

  // Whoever may write to the folder, as a captured QEMU, puts a link where the image was: nobody is to give away what that leads to.
  const shadow = root.write('shadow', 'root:$6$hash');
  chmodSync(shadow, 0o600);
  rmSync(image);
  symlinkSync(shadow, image);
  const doubt = `a link leads to "${shadow}"; if that is meant, chown nobody ${shadow}`;
  for (const words of [['check', 'web'], ['start', 'web'], ['doctor']]) {
    const { stdout, stderr } = await root.init(...words);
    assert.ok(`${stdout}${stderr}`.includes(doubt), `${words}: ${stdout}${stderr}`);
  }

  await root.ok('create', 'db', 'RAM=8M', 'KVM=off', 'VNC=off', '--disk', '8M');
  await root.ok('check', 'db');
  const { pid } = await root.one('start', 'db');
  // Who it runs as is then known from the log of the console alone.
  rmSync(root.file('db'), { recursive: true });
  assert.equal((await root.one('status', 'db'))['pid'], pid);
  assert.equal((await root.one('start', 'db'))['outcome'], 'already-running');
  assert.equal((await root.one('kill', 'db'))['rung'], 'sigkill');
  assert.deepEqual(root.qemus(), []);
});

test('a machine of the cluster is not enabled, and its AUTOSTART is an error of check and starts nothing', async (t) => {
  const root = lab(t);
  root.add('web');
  root.add('own', 'AUTOSTART=on\n');
  const primitive = '<primitive id="vm-web" class="ocf" provider="qemu-init" type="machine">';
  root.write(
    'var/lib/pacemaker/cib/cib.xml',
    `${primitive}<instance_attributes id="i"><nvpair id="n" name="machine" value="web"/></instance_attributes></primitive>`,
  );
  const enabled = await root.init('enable', 'web', 'own');
  assert.equal(enabled.code, 2);
  assert.match(enabled.stderr, /"web" is run by the cluster \(resource "vm-web"\)/);
  assert.equal((await root.init('check', 'web')).code, 0);
  root.write('etc/qemu/defaults-qemu.cfg', 'AUTOSTART=on\n');
  const checked = await root.init('check', 'web', 'own');
  assert.equal(checked.code, 6);
  assert.match(checked.stderr, /AUTOSTART is on, but the cluster \(resource "vm-web"\) starts the machine/);
  assert.doesNotMatch(checked.stderr, /own/);
  assert.equal((await root.init('check', '--cluster', 'own')).code, 6);
  await root.ok('start', '--autostart');
  assert.deepEqual([await root.state('web'), await root.state('own')], ['stopped', 'running']);
  await root.ok('stop', 'own');
});
