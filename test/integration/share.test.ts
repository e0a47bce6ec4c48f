import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  copyFileSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { asArray, asText } from '../../src/base/guards.ts';
import { checkOpened, checkRoot } from '../../src/machine/share/shared-folder.ts';
import { virtiofsdPath } from '../../src/machine/share/virtiofsd.ts';
import { findProcesses } from '../../src/system/process/process.ts';
import { configOf } from '../support/argv-configs.ts';
import { type Lab, lab, until } from '../support/lab.ts';
import { GUEST_MS, LINUX_READY, linuxGuest } from '../support/linux-guest.ts';
import type { Cleanup } from '../support/temp-root.ts';

const NOBODY = 65_534;
const STRANGER = 64_321;
const isRoot = process.getuid?.() === 0;
const UID = isRoot ? NOBODY : (process.getuid?.() ?? 0);
const RIGHTS = isRoot ? 'RUNAS=nobody\nNETIF=managed\nSANDBOX=on\n' : '';
const skip = virtiofsdPath() === undefined ? 'this host has no virtiofsd' : false;
/** Emulated Linux on a busy host. */
interface ShareLab extends Lab {
  /** A folder that the machine's user has. */
  readonly folder: string;
  /** Processes of virtiofsd that share it. */
  readonly daemons: () => number[];
}

function shareLab(t: Cleanup): ShareLab {
  const host = lab(t);
  chmodSync(host.dir, 0o711);
  const folder = join(host.dir, 'data, of all');
  mkdirSync(folder);
  if (isRoot) chownSync(folder, NOBODY, NOBODY);
  const own = (argv: readonly string[]): boolean =>
    argv.some((word) => word.endsWith('/virtiofsd')) && argv.join(' ').includes(host.dir);
  const daemons = (): number[] => findProcesses(own).map(({ pid }) => pid);
  t.after(() => {
    for (const pid of daemons()) process.kill(pid, 'SIGKILL');
  });
  return { ...host, folder, daemons };
}

/** What the guest does with its two shares; it prints each answer on a line. */
const SCRIPT = `
mkdir /run/a /run/b
mount -t virtiofs -o rw 'my data' /run/a && mount -t 9p -o trans=virtio,version=9p2000.L,access=any share2 /run/b
say() { printf '\\n%s: %s.\\n' "$1" "$(eval "$2" 2>&1 | head -n 1)" >/dev/ttyS0; }
say one 'cat /run/a/hello'
say two 'cat /run/b/hello'
say secret 'cat /run/a/secret || cat /run/b/secret'
say escape 'cat /run/a/outside || cat /run/b/outside'
say made 'echo from the guest >/run/a/made && ln -s /etc/shadow /run/a/link && cat /run/b/made'
say readonly 'echo x >/run/b/x'
`;

test("a Linux guest reads and writes shared folders with the rights of the machine's user, which cannot be saved then", {
  skip,
}, async (t) => {
  const host = shareLab(t);
  const write = (name: string, text: string, mode: number): void => {
    host.write(join('data, of all', name), text);
    chmodSync(join(host.folder, name), mode);
  };
  write('hello', 'from the host', 0o644);
  write('secret', 'of root', 0o600);
  host.write('outside', 'outside of the folder');
  symlinkSync('../outside', join(host.folder, 'outside'));
  const modules = ['virtiofs', '9p', '9pnet_virtio'];
  const { kernel, initrd, append } = linuxGuest(host.etcDir, { kernel: 'full', modules, script: SCRIPT });
  copyFileSync(kernel, join(host.etcDir, 'vmlinuz'));
  const boot = `RAM=256M\nCPU=max\nKERNEL=vmlinuz\nINITRD=${initrd}\nAPPEND="${append}"\n`;
  const path = host.folder.replaceAll(',', ',,');
  host.add('web', `${boot}${RIGHTS}SHARE1="${path},tag=my data"\nSHARE2="${path},driver=9p,readonly=on"\n`);
  if (isRoot) chownSync(join(host.etcDir, 'web.img'), NOBODY, NOBODY);
  await host.ok('start', 'web');
  assert.equal(host.daemons().length, 1);
  await until('the guest is done', () => host.console('web').includes(LINUX_READY), GUEST_MS);
  const said = (name: string): string | undefined =>
    new RegExp(`^${name}: (.*)\\.\\r?$`, 'm').exec(host.console('web'))?.[1];
  assert.equal(said('one'), 'from the host', host.console('web'));
  assert.equal(said('two'), 'from the host');
  if (isRoot) assert.match(said('secret') ?? '', /denied|not permitted/i);
  assert.match(said('escape') ?? '', /No such file/);
  assert.equal(said('made'), 'from the guest');
  assert.match(said('readonly') ?? '', /Read-only|denied/);
  assert.equal(readFileSync(join(host.folder, 'made'), 'utf8'), 'from the guest\n');
  assert.deepEqual([statSync(join(host.folder, 'made')).uid, lstatSync(join(host.folder, 'link')).uid], [UID, UID]);

  const saved = await host.init('save', 'web');
  assert.match(saved.stderr, /SHARE1 is a folder shared by virtiofsd, whose state cannot be saved/);
  assert.match(saved.stderr, /VirtFS export path .* is mounted in the guest/);
  const snapshot = await host.init('snapshot', 'create', 'web', 'one', '--memory');
  assert.match(snapshot.stderr, /SHARE1 is a folder shared by virtiofsd/);
  assert.equal(await host.state('web'), 'running');
  assert.deepEqual((await host.one('status', 'web'))['problems'], []);

  process.kill(host.daemons()[0] ?? 0, 'SIGKILL');
  await until('virtiofsd is gone', () => host.daemons().length === 0);
  const [problem] = asArray((await host.one('status', 'web'))['problems']);
  assert.match(asText(problem), /^virtiofsd \(process of SHARE1\) has ended: programs of the guest .* hang/);
  await host.ok('stop', '--force', 'web');
  assert.deepEqual([host.daemons(), host.leftovers()], [[], []]);
});

test('at whatever moment the start of a machine with shares is killed, the next one works and nothing is left', {
  skip,
}, async (t) => {
  const host = shareLab(t);
  host.add('web', `${RIGHTS}SHARE1="${host.folder.replaceAll(',', ',,')}"\n`);
  if (isRoot) chownSync(join(host.etcDir, 'web.img'), NOBODY, NOBODY);
  for (const delayMs of [0, 10, 40]) {
    const { child, result } = host.spawn('qemu-init', ['start', 'web']);
    await until('virtiofsd is there', () => host.daemons().length > 0);
    await sleep(delayMs);
    child.kill('SIGKILL');
    await result;
    await host.ok('start', 'web');
    await until('that of the killed start is gone', () => host.daemons().length === 1);
    await host.ok('kill', 'web');
    await until('all are gone', () => host.daemons().length === 0);
    assert.deepEqual(host.leftovers(), [], `after ${delayMs} ms`);
  }
});

test("a folder is shared only if the machine's user may open it, and never one to which another user's link leads", {
  skip: skip || (isRoot ? false : 'only root can start machines as another user'),
}, async (t) => {
  const host = shareLab(t);
  const closed = join(host.dir, 'closed');
  mkdirSync(join(closed, 'below'), { recursive: true, mode: 0o700 });
  symlinkSync('/etc', join(host.dir, 'evil'));
  lchownSync(join(host.dir, 'evil'), STRANGER, STRANGER);
  for (const driver of ['virtiofs', '9p']) {
    host.add(driver, `${RIGHTS}SHARE1=${closed}/below,driver=${driver}\n`);
    chownSync(join(host.etcDir, `${driver}.img`), NOBODY, NOBODY);
    const refused = await host.init('start', driver);
    assert.notEqual(refused.code, 0);
    assert.match(refused.stderr, driver === '9p' ? /Permission denied/ : /Cannot share ".*below" \(SHARE1\)/);
    host.write(
      `etc/qemu/${driver}-qemu.cfg`,
      `KVM=off\nDSK1=${driver}.img\nSHARE1=${host.dir}/evil/apt,driver=${driver}\n`,
    );
    const evil = await host.init('start', driver);
    assert.match(evil.stderr, /evil" is a link made by user "64321"/);
    assert.deepEqual([host.daemons(), host.leftovers()], [[], []]);
  }
});

test('a folder that was exchanged while the program that shares it was started is noticed', async (t) => {
  const host = shareLab(t);
  const inFolder = openSync(host.folder, 'r');
  const child = spawn('sleep', ['1000'], { stdio: ['ignore', 'ignore', 'ignore', inFolder] });
  closeSync(inFolder);
  t.after(() => child.kill('SIGKILL'));
  await until('it is there', () => child.pid !== undefined);
  const pid = child.pid ?? 0;
  const share = (path: string, driver: string): ReturnType<typeof configOf> =>
    configOf(`SHARE1="${path.replaceAll(',', ',,')},driver=${driver}"\n`);
  await checkOpened(share(host.folder, '9p'), undefined, pid);
  renameSync(host.folder, join(host.dir, 'away'));
  mkdirSync(host.folder);
  await assert.rejects(checkOpened(share(host.folder, '9p'), undefined, pid), { code: 'QEMU_NOT_PERMITTED' });
  const root = share('/', 'virtiofs');
  const [first] = root.shares;
  assert.ok(first);
  await checkRoot(root, first, undefined, pid);
  await assert.rejects(checkRoot(root, { ...first, path: host.folder }, undefined, pid), {
    code: 'QEMU_NOT_PERMITTED',
  });
});
