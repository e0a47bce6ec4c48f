import assert from 'node:assert/strict';
import {
  appendFileSync,
  existsSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { run } from '../../src/system/process/exec.ts';
import { parseJson, runCli } from '../support/cli.ts';
import { type Cleanup, tempDir } from '../support/temp-root.ts';

interface Change {
  readonly path: string;
  readonly change: string;
  readonly done: boolean;
}

function packager(t: Cleanup) {
  const dir = tempDir(t);
  const call = async (action: string, ...args: readonly string[]): Promise<readonly Change[]> => {
    const result = await runCli('qemu-init', [action, '--destdir', dir, '--json', ...args]);
    assert.equal(result.code, 0, result.stderr);
    return parseJson(result) as Change[];
  };
  const at = (path: string): string => join(dir, path);
  const files = (): string[] =>
    readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter(
      (name) => !statSync(at(name), { throwIfNoEntry: false })?.isDirectory(),
    );
  return { dir, call, at, files };
}

const paths = (changes: readonly Change[], kind: string): string[] =>
  changes.filter(({ change }) => change === kind).map(({ path }) => path);

test('install lists every file that it writes, and a dry run lists the same and writes none', async (t) => {
  const { call, files } = packager(t);
  const announced = await call('install', '--dry-run');
  assert.deepEqual(files(), []);
  const written = await call('install');
  assert.deepEqual(paths(written, 'write'), paths(announced, 'write'));
  const listed = [...paths(written, 'write').map((path) => path.slice(1)), 'usr/lib/qemu-init/installed.json'];
  assert.deepEqual(files().sort(), listed.sort());
});

test('install makes the links, the units and a hardened defaults file', async (t) => {
  const { call, at } = packager(t);
  await call('install', '--prefix', '/usr/local');
  assert.equal(readlinkSync(at('etc/qemu/qemu-brup')), '/usr/local/bin/qemu-netif');
  assert.equal(readlinkSync(at('etc/qemu/qemu-brdown')), '/usr/local/bin/qemu-netif');
  assert.equal(readlinkSync(at('usr/local/bin/qemu-init')), '/usr/local/lib/qemu-init/bin/qemu-init');
  const unit = readFileSync(at('usr/local/lib/systemd/system/qemu@.service'), 'utf8');
  assert.match(unit, /\/usr\/local\/bin\/qemu-init start/);
  for (const tool of ['qemu-init', 'qemu-cmd', 'qemu-mon', 'qemu-netif'])
    assert.match(readFileSync(at(`usr/local/lib/qemu-init/bin/${tool}`), 'utf8'), /^#!\/usr\/bin\/node\n/);
  assert.doesNotMatch(unit, /\/usr\/bin\/qemu-init/);
  const defaults = readFileSync(at('etc/qemu/defaults-qemu.cfg'), 'utf8');
  for (const line of ['RUNAS=auto', 'SANDBOX=on', 'NETIF=managed', 'VNC=unix'])
    assert.match(defaults, new RegExp(`^${line}$`, 'm'));
  assert.ok(existsSync(at('usr/local/share/man/man8/qemu-init.8')));
  // Pacemaker looks for agents in one place only, whatever the prefix.
  const agent = at('usr/lib/ocf/resource.d/qemu-init/machine');
  assert.match(readFileSync(agent, 'utf8'), /^tool=\/usr\/local\/bin\/qemu-init$/m);
  assert.notEqual(statSync(agent).mode & 0o111, 0);
  assert.ok(existsSync(at('usr/local/share/man/man7/ocf_qemu-init_machine.7')));
  assert.notEqual(statSync(at('etc/init.d/qemu-init')).mode & 0o111, 0);
});

test('install again changes nothing, and keeps configuration that was changed', async (t) => {
  const { call, at } = packager(t);
  await call('install');
  appendFileSync(at('etc/qemu/monitor.conf'), 'MONPORT=40000\n');
  const again = await call('install');
  assert.deepEqual(paths(again, 'write'), []);
  assert.deepEqual(paths(again, 'keep'), ['/etc/qemu/monitor.conf']);
  assert.match(readFileSync(at('etc/qemu/monitor.conf'), 'utf8'), /40000/);
});

test('what is installed can install itself again, with nothing to do', async (t) => {
  const { dir, call, at } = packager(t);
  await call('install');
  const tool = at('usr/lib/qemu-init/bin/qemu-init');
  const result = await runCli('qemu-init', ['install', '--destdir', dir, '--json'], { path: tool });
  assert.equal(result.code, 0, result.stderr);
  assert.deepEqual(new Set((parseJson(result) as Change[]).map(({ change }) => change)), new Set(['unchanged']));
});

test('install repairs what was damaged and takes away what it no longer has', async (t) => {
  const { call, at } = packager(t);
  await call('install');
  const unit = '/usr/lib/systemd/system/qemu.target';
  const old = '/usr/lib/qemu-init/old.js';
  const manifest = at('usr/lib/qemu-init/installed.json');
  const content = readFileSync(at(unit), 'utf8');
  writeFileSync(at(old), content);
  writeFileSync(at(unit), 'damaged');
  const document = JSON.parse(readFileSync(manifest, 'utf8'));
  document.written[old] = document.written[unit];
  writeFileSync(manifest, JSON.stringify(document));
  const again = await call('install');
  assert.deepEqual(paths(again, 'write'), [unit]);
  assert.deepEqual(paths(again, 'remove'), [old]);
  assert.equal(readFileSync(at(unit), 'utf8'), content);
});

test("uninstall leaves nothing of ours and everything of the administrator's", async (t) => {
  const { call, at, files, dir } = packager(t);
  await call('install');
  appendFileSync(at('etc/qemu/qemu-init.reg'), 'web=web\n');
  writeFileSync(at('etc/qemu/web-qemu.cfg'), '');
  const changes = await call('uninstall');
  assert.deepEqual(paths(changes, 'keep'), ['/etc/qemu/qemu-init.reg']);
  assert.deepEqual(files().sort(), ['etc/qemu/qemu-init.reg', 'etc/qemu/web-qemu.cfg']);
  assert.deepEqual(readdirSync(dir), ['etc']);
  assert.deepEqual(await call('uninstall'), []);
  assert.ok(!existsSync(at('usr')));
});

test('a prefix that is not an absolute path is a usage error', async (t) => {
  const { dir } = packager(t);
  const { code, stderr } = await runCli('qemu-init', ['install', '--destdir', dir, '--prefix', 'usr']);
  assert.equal(code, 2);
  assert.match(stderr, /--prefix must be an absolute path, not "usr"/);
});

test('completion prints what each shell reads, and bash takes it', async () => {
  for (const [shell, check] of [
    ['bash', ['bash', '-c', 'eval "$(cat)"; complete -p qemu-init']],
    ['zsh', undefined],
    ['fish', undefined],
  ] as const) {
    const { code, stdout } = await runCli('qemu-init', ['completion', shell]);
    assert.equal(code, 0);
    assert.match(stdout, /force-reload/);
    if (check === undefined) continue;
    const [program, ...args] = check;
    const { exitCode, stderr } = await run(program, args, { input: stdout });
    assert.equal(exitCode, 0, stderr);
  }
  assert.equal((await runCli('qemu-init', ['completion', 'tcsh'])).code, 2);
});

const needsRoot = process.getuid?.() === 0 ? false : 'only root can be led elsewhere by the files of another user';

test('a link or a manifest of another user in the destination leads root nowhere', { skip: needsRoot }, async (t) => {
  const STRANGER = 64_321;
  const { dir, at } = packager(t);
  const elsewhere = tempDir(t);
  const victim = join(elsewhere, 'victim');
  writeFileSync(victim, '');
  symlinkSync(elsewhere, at('usr'));
  lchownSync(at('usr'), STRANGER, STRANGER);
  for (const action of ['install', 'uninstall']) {
    const { code, stderr } = await runCli('qemu-init', [action, '--destdir', dir]);
    assert.equal(code, 4, stderr);
    assert.match(stderr, /Cannot trust ".*\/usr/);
  }
  assert.deepEqual(readdirSync(elsewhere), ['victim']);
  const theirs = tempDir(t);
  mkdirSync(join(theirs, 'usr/lib/qemu-init'), { recursive: true });
  const written = { [`/../..${victim}`]: '' };
  writeFileSync(
    join(theirs, 'usr/lib/qemu-init/installed.json'),
    JSON.stringify({ version: '', written, folders: [] }),
  );
  lchownSync(theirs, STRANGER, STRANGER);
  const { code, stderr } = await runCli('qemu-init', ['uninstall', '--destdir', theirs]);
  assert.equal(code, 4, stderr);
});
