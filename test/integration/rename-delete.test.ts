import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseJson } from '../support/cli.ts';
import { type JsonObject, type Lab, LIGHT, lab, until } from '../support/lab.ts';

const NOBODY = 65_534;
const LIGHT_KEYS = LIGHT.trim().split('\n');
const qemuImg = (...args: readonly string[]): string => execFileSync('qemu-img', [...args], { encoding: 'utf8' });

/** What there is of a machine by its name, below the scratch root. */
function traces(root: Lab, name: string): string[] {
  const all = readdirSync(root.dir, { recursive: true, encoding: 'utf8' });
  return all.filter((path) =>
    path.split('/').some((part) => part === name || part.startsWith(`${name}-`) || part.startsWith(`${name}.`)),
  );
}

const macsOf = async (root: Lab, name: string): Promise<unknown> =>
  (await root.json('list', '--macs')).find((row) => row['name'] === name)?.['nics'];

test('a renamed machine keeps its hardware, addresses, variables and logs, and what requires it follows', async (t) => {
  const root = lab(t);
  root.add('web', `NIC1=virtio-net-pci,net=user\nBACKUP=${root.dir}/dest,keep=3\n# mine\n`);
  root.add('db', 'REQUIRES=web\n');
  const uuidOf = async (name: string): Promise<string | undefined> =>
    /-uuid (\S+)/.exec(await root.ok('showcmd', name))?.[1];
  const uuid = await uuidOf('web');
  await root.ok('start', 'web');
  const busy = await root.init('rename', 'web', 'site');
  assert.notEqual(busy.code, 0);
  assert.match(busy.stderr, /Cannot rename "web" while it runs/);
  await root.ok('stop', '--force', 'web');
  const macs = await macsOf(root, 'web');
  mkdirSync(join(root.stateDir, 'web'), { recursive: true });
  writeFileSync(join(root.stateDir, 'web/vars-12345678.qcow2'), 'variables');
  writeFileSync(join(root.etcDir, 'qemu-init.reg'), '; of mine\nw=web ; why\ndb=db\n');
  const result = await root.init('rename', 'w', 'site', '--json');
  assert.match(result.stderr, /its backups in ".*\/dest" stay those of "web"/);
  const [renamed = {}] = parseJson(result) as JsonObject[];
  assert.equal(renamed['shortName'], 'w');
  assert.deepEqual(renamed['changed'], ['db']);
  assert.deepEqual(
    traces(root, 'web').filter((path) => !path.endsWith('web.img')),
    [],
  );
  assert.equal(readFileSync(join(root.etcDir, 'qemu-init.reg'), 'utf8'), '; of mine\nw=site ; why\ndb=db\n');
  assert.match(readFileSync(join(root.etcDir, 'site-qemu.cfg'), 'utf8'), /^# mine$/m);
  assert.match(readFileSync(join(root.etcDir, 'db-qemu.cfg'), 'utf8'), /^REQUIRES=site$/m);
  assert.equal(readFileSync(join(root.stateDir, 'site/vars-12345678.qcow2'), 'utf8'), 'variables');
  assert.ok(existsSync(join(root.logDir, 'site.log')));
  assert.equal(await uuidOf('site'), uuid);
  assert.deepEqual(await macsOf(root, 'site'), macs);
  await root.ok('start', 'db');
  assert.equal(await root.state('site'), 'running');
  await root.ok('stop', '--force', '--all');

  for (const [args, pattern] of [
    [['site', 'db'], /db-qemu\.cfg" exists already/],
    [['site', 'DB'], /is the name of another machine/],
    [['site', 'a/b'], /not a valid name/],
    [['site', 'site'], /has that name already/],
  ] as const) {
    const { code, stderr } = await root.init('rename', ...args);
    assert.notEqual(code, 0);
    assert.match(stderr, pattern);
  }
  // As a rename leaves it that was killed before the registry was written.
  const cfg = readFileSync(join(root.etcDir, 'site-qemu.cfg'), 'utf8');
  writeFileSync(join(root.etcDir, 'third-qemu.cfg'), cfg);
  execFileSync('mv', [join(root.stateDir, 'site'), join(root.stateDir, 'third')]);
  await root.ok('rename', 'site', 'third');
  assert.deepEqual(traces(root, 'site'), []);
  assert.deepEqual(await macsOf(root, 'third'), macs);
});

test('delete shows what goes and asks; nothing stays but what others use', async (t) => {
  const root = lab(t);
  const base = join(root.dir, 'base.qcow2');
  qemuImg('create', '-q', '-f', 'qcow2', base, '2M');
  await root.ok(
    'create',
    'web',
    ...LIGHT_KEYS,
    '--image',
    base,
    '--linked',
    '--disk',
    '2M',
    '--disk',
    '1M',
    '--hostname',
    'web',
  );
  writeFileSync(join(root.dir, 'shared.img'), Buffer.alloc(1024 ** 2));
  root.add('db', `DSK1=${join(root.dir, 'shared.img')},readonly=on,format=raw\n`);
  const cfg = join(root.etcDir, 'web-qemu.cfg');
  writeFileSync(
    cfg,
    readFileSync(cfg, 'utf8').replace(
      /^DSK2=.*$/m,
      (line) => `${line}\nDSK3=${join(root.dir, 'shared.img')},format=raw`,
    ),
  );
  await root.ok('start', 'web').catch(() => undefined);
  await root.init('stop', '--force', 'web');
  const all = traces(root, 'web');
  const planned = await root.one('delete', '--dry-run', 'web');
  assert.equal(planned['outcome'], 'planned');
  const kept = (planned['files'] as { path: string; kept: string | null }[]).filter((file) => file.kept !== null);
  assert.deepEqual(
    kept.map((file) => [file.path, file.kept]),
    [
      [base, 'it is a base image'],
      [join(root.dir, 'shared.img'), 'machine "db" uses it'],
    ],
  );
  const asked = await root.init('delete', 'web');
  assert.equal(asked.code, 2);
  assert.match(asked.stderr, /needs a confirmation[\s\S]*--yes/);
  assert.deepEqual(traces(root, 'web'), all);

  const no = root.spawn('qemu-init', ['delete', 'web'], { tty: true });
  await no.waitForOutput(/Delete machine web\?/);
  no.write('n\r');
  assert.equal((await no.result).code, 1);
  assert.deepEqual(traces(root, 'web'), all);
  const yes = root.spawn('qemu-init', ['delete', 'web'], { tty: true });
  await yes.waitForOutput(/Delete machine web\?/);
  yes.write('y\r');
  assert.equal((await yes.result).code, 0);
  assert.deepEqual(traces(root, 'web'), []);
  assert.ok(existsSync(base) && existsSync(join(root.dir, 'shared.img')));
  assert.deepEqual(
    (await root.json('list')).map(({ name }) => name),
    ['db'],
  );
});

test('delete keeps disks if asked, never a running machine, and a common base until its last user goes', async (t) => {
  const root = lab(t);
  await root.ok('create', 'web', ...LIGHT_KEYS, '--disk', '1M');
  await root.ok('start', 'web');
  const running = await root.init('delete', '--yes', 'web');
  assert.match(running.stderr, /Cannot delete "web" while it runs/);
  await root.ok('stop', '--force', 'web');
  await root.ok('clone', 'web', 'db', '--linked');
  const bases = (): string[] => readdirSync(root.etcDir).filter((name) => name.includes('-base-'));
  assert.equal(bases().length, 1);
  const saved = join(root.stateDir, 'web/saved');
  mkdirSync(saved, { recursive: true });
  const { files } = await root.one('delete', '--dry-run', 'web');
  assert.ok((files as { path: string; kind: string }[]).some(({ path, kind }) => path === saved && kind === 'saved'));
  const gone = await root.init('delete', '--yes', 'web');
  assert.equal(gone.code, 0, gone.stderr);
  assert.match(gone.stderr, /the saved state of its guest is deleted too/);
  assert.equal(bases().length, 1);
  await root.ok('start', 'db');
  await root.ok('stop', '--force', 'db');
  await root.ok('clone', 'db', 'third');
  await root.ok('delete', '--yes', '--keep-disks', 'third');
  assert.ok(existsSync(join(root.etcDir, 'third.qcow2')));
  await root.ok('delete', '--yes', 'db');
  assert.deepEqual(bases(), []);
  assert.deepEqual(readdirSync(root.etcDir).sort(), ['qemu-init.reg', 'third.qcow2']);
});

test('a link of another user leads no deletion and no new disk to the files of root', async (t) => {
  if (process.getuid?.() !== 0) return t.skip('takes another user');
  const root = lab(t);
  chmodSync(root.dir, 0o755);
  const own = join(root.dir, 'own');
  const sub = join(own, 'sub');
  mkdirSync(sub, { recursive: true });
  root.add('web', `DSK1=${join(sub, 'web.img')},format=raw\n`);
  writeFileSync(join(sub, 'web.img'), Buffer.alloc(1024 ** 2));
  for (const path of [own, sub, join(sub, 'web.img')]) chownSync(path, NOBODY, NOBODY);
  // A captured QEMU puts a link to a folder of root in the place of the one that its disk is in.
  renameSync(sub, `${sub}-2`);
  symlinkSync(root.etcDir, sub);
  lchownSync(sub, NOBODY, NOBODY);
  const victim = join(root.etcDir, 'web.img');
  writeFileSync(victim, 'of root');
  const before = readdirSync(root.etcDir);
  const moved = await root.init('disk', 'move', 'web', 'DSK1', join(sub, 'new.img'));
  assert.notEqual(moved.code, 0);
  assert.deepEqual(readdirSync(root.etcDir), before);
  const deleted = await root.one('delete', '--yes', 'web');
  const files = deleted['files'] as { path: string; kept: string | null }[];
  assert.equal(files.find(({ path }) => path.endsWith('/web.img'))?.kept, 'a link of another user leads to it');
  assert.equal(readFileSync(victim, 'utf8'), 'of root');
});

test('a machine whose QEMU was killed leaves nothing under the name that it loses', async (t) => {
  const root = lab(t);
  for (const [verb, ...to] of [['rename', 'db'], ['delete']]) {
    root.add('web', 'DSK1=web.img\n');
    writeFileSync(join(root.etcDir, 'web.img'), Buffer.alloc(1024 * 1024));
    await root.ok('start', 'web');
    for (const pid of root.qemus()) process.kill(pid, 'SIGKILL');
    await until('QEMU is gone', () => root.qemus().length === 0);
    await root.ok(...(verb === 'delete' ? ['delete', '--yes', 'web'] : ['rename', 'web', ...to]));
    // The renamed one uses the image.
    assert.deepEqual(traces(root, 'web'), ['etc/qemu/web.img'], verb);
  }
});
