import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  copyFileSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { lab } from '../support/lab.ts';
import { repoRoot } from '../support/repo.ts';

test("neither QEMU nor a hook gets the caller's environment or open files", async (t) => {
  const host = lab(t);
  const listing = join(host.dir, 'hook');
  host.write('hook.sh', `#!/bin/sh\n{ env; for fd in /proc/$$/fd/*; do readlink "$fd" || true; done; } >${listing}\n`);
  host.add('web', `PRECMD=sh ${join(host.dir, 'hook.sh')}\n`);
  const lock = join(host.dir, 'secret-lock');
  const fd = openSync(lock, 'w');
  const stdio: ('ignore' | 'pipe' | number)[] = Array.from({ length: 201 }, () => 'ignore');
  // Node closes the first sixteen by itself, but none past a gap.
  for (const at of [9, 40, 200]) stdio[at] = fd;
  const { status } = spawnSync(process.execPath, [join(repoRoot, 'bin/qemu-init'), 'start', 'web'], {
    stdio,
    env: { ...process.env, QEMU_INIT_ROOT: host.dir, DB_PASSWORD: 'hunter2', LD_AUDIT: '' },
  });
  closeSync(fd);
  assert.equal(status, 0);
  const pid = (await host.one('status', 'web'))['pid'];
  const environment = readFileSync(`/proc/${pid}/environ`, 'utf8');
  const open = readdirSync(`/proc/${pid}/fd`).map((name) => [name, readlinkSync(`/proc/${pid}/fd/${name}`)]);
  for (const text of [environment, readFileSync(listing, 'utf8'), open.join('\n')]) {
    assert.doesNotMatch(text, /hunter2|LD_AUDIT|secret-lock/);
  }
  assert.match(environment, /(?:^|\0)PATH=/);
  assert.ok(!open.some(([name]) => name === '40' || name === '200'), String(open));
  await host.ok('stop', 'web');
});

const MAY_UNSHARE = spawnSync('unshare', ['--mount', '--ipc', 'true']).status === 0;

test('outside a unit a captured QEMU sees no temporary files, homes and processes of others', async (t) => {
  if (!MAY_UNSHARE) return t.skip('only root can give QEMU mounts of its own');
  const own = join(tmpdir(), 'of-others');
  writeFileSync(own, 'secret', { mode: 0o666 });
  // What a machine names stays open, so its files are elsewhere.
  const before = process.env['TMPDIR'];
  process.env['TMPDIR'] = '/run';
  t.after(() => {
    process.env['TMPDIR'] = before;
  });
  const host = lab(t);
  chmodSync(host.dir, 0o755);
  for (const [name, user, uid] of [
    ['web', 'nobody', 65_534],
    ['db', 'daemon', 1],
  ] as const) {
    host.add(name, `RUNAS=${user}\nNETIF=managed\nSANDBOX=on\nVGA=std\n`);
    chownSync(join(host.etcDir, `${name}.img`), uid, 0);
    chmodSync(join(host.etcDir, `${name}.img`), 0o600);
  }
  const wrapper = (await host.one('showcmd', 'web'))['wrapper'] as string[];
  assert.equal(wrapper[0], 'unshare');
  await host.ok('start', '--all');
  const [web, db] = await Promise.all(['web', 'db'].map(async (name) => (await host.one('status', name))['pid']));
  const report = await host.one('security', 'web');
  assert.deepEqual(report['closed'], ['homes', 'temporary', 'processes']);
  // Whether or not process 1 can be looked at.
  assert.deepEqual([report['namespaces']].flat().sort(), ['ipc', 'mnt']);
  for (const kind of ['mnt', 'ipc'])
    assert.notEqual(readlinkSync(`/proc/${web}/ns/${kind}`), readlinkSync(`/proc/self/ns/${kind}`));
  const files = (name: string): string[] => [
    join(host.etcDir, `${name}.img`),
    join(host.logDir, `${name}.console`),
    host.file(name, 'tls/keys.psk'),
  ];
  const wanted = [own, '/root', '/home', `/proc/${db}/cmdline`, `/proc/${db}/mem`, ...files('db'), ...files('web')];
  const captured = [
    '--target',
    String(web),
    '--mount',
    '--ipc',
    'setpriv',
    '--reuid=65534',
    '--regid=65534',
    '--clear-groups',
    '--no-new-privs',
  ];
  const script =
    'for path; do if [ -d "$path" ]; then ls "$path"; elif [ -r "$path" ]; then echo "$path"; fi; done; true';
  const { stdout, stderr } = spawnSync('nsenter', [...captured, 'sh', '-c', script, 'sh', ...wanted], {
    encoding: 'utf8',
  });
  assert.deepEqual(stdout.trim().split('\n'), files('web'), stderr);
  await host.ok('wait', 'web', '--for', 'console=ready');
  assert.equal((await host.one('stop', 'web'))['rung'], 'powerdown');
  await host.ok('stop', '--all', '--force');

  // A base image there is as good as a disk there.
  const base = join('/tmp', `base-${process.pid}.img`);
  t.after(() => rmSync(base, { force: true }));
  copyFileSync(join(host.etcDir, 'db.img'), base);
  chmodSync(base, 0o644);
  rmSync(join(host.etcDir, 'db.img'));
  spawnSync('qemu-img', ['create', '-q', '-f', 'qcow2', '-F', 'raw', '-b', base, join(host.etcDir, 'db.img')]);
  chownSync(join(host.etcDir, 'db.img'), 1, 0);
  writeFileSync(
    join(host.etcDir, 'db-qemu.cfg'),
    readFileSync(join(host.etcDir, 'db-qemu.cfg'), 'utf8').replace(/^(DSK1=.*)$/m, `$1,format=qcow2,backing=${base}`),
  );
  await host.ok('start', 'db');
  assert.deepEqual((await host.one('security', 'db'))['closed'], ['homes', 'processes']);
  await host.ok('stop', 'db', '--force');
});
