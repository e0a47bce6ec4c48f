import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { guestDisk } from '../support/guest-disk.ts';
import { stoppedThere, stoppingAt } from '../support/kill-before.ts';
import { type Lab, lab, programsNaming, until } from '../support/lab.ts';
import { findSshd, sshHosts } from '../support/ssh-host.ts';
import { tempRoot } from '../support/temp-root.ts';
import { enterOwnNamespace } from './own-namespace.ts';

findSshd();
await enterOwnNamespace();

const { hosts, client } = sshHosts(test, 1);
const [host] = hosts;
assert.ok(host);

/** A machine that takes nothing, and a root at the other host. */
async function light(t: TestContext): Promise<{ readonly one: Lab; readonly two: Lab; readonly there: string }> {
  const [one, two] = [lab(t), lab(t)];
  for (const root of [one, two]) root.ownPorts();
  one.add('web', `DSK1=${guestDisk(tempRoot(t).etcDir, { name: 'shared.img' })}\n`);
  await one.ok('start', 'web');
  return { one, two, there: `ssh://root@${host?.address}${two.dir}` };
}

const known = join(client.dir, 'known_hosts');

test('why ssh does not get there is said, with the status for it, and nothing is changed', async (t) => {
  const { one, two, there } = await light(t);
  const file = join(client.dir, 'authorized_keys');
  const [keys, hostKeys] = [readFileSync(file), readFileSync(known, 'utf8')];
  const fails = async (code: number, message: RegExp, place = there): Promise<void> => {
    for (const more of [[], ['--check']]) {
      const result = await one.init('migrate', 'web', place, ...more);
      assert.equal(result.code, code, result.stderr);
      assert.match(result.stderr, message);
    }
    assert.equal(await one.state('web'), 'running');
  };
  await fails(1, /Cannot reach ssh:.*Connection refused/);
  await host.serve();
  writeFileSync(file, '');
  await fails(4, /ssh may not log in at ssh:.*Permission denied[\s\S]*hint: it needs a key/);
  writeFileSync(file, keys);
  writeFileSync(known, '');
  // Who has allowed that for all that they do by hand has not allowed it for this.
  writeFileSync(join(client.dir, 'config'), 'StrictHostKeyChecking no\n');
  await fails(4, /The key of the host of ssh:.* is not known[\s\S]*compare its fingerprint: ssh root@/);
  assert.equal(readFileSync(known, 'utf8'), '');
  writeFileSync(
    known,
    hostKeys.replace(/AAAA\S+/, readFileSync(join(client.dir, 'id_ed25519.pub'), 'utf8').split(' ')[1] ?? ''),
  );
  await fails(4, /is not the one that is known/);
  writeFileSync(known, hostKeys);
  await fails(1, /Cannot reach ssh:.*(?:resolve|not known)/, 'ssh://nowhere.invalid');
  await host.serve('SetEnv PATH=/nonexistent');
  const missing = await one.init('migrate', 'web', there);
  assert.equal(missing.code, 5);
  assert.match(missing.stderr, /qemu-init is not installed at ssh:/);
  const looked = await one.one('migrate', 'web', there, '--check');
  assert.match(JSON.stringify(looked['problems']), /qemu-init is not installed at/);
  assert.deepEqual(two.leftovers(), []);
  assert.deepEqual(programsNaming(two.dir), []);
});

test('a place is never an option of ssh or a command of a shell', async (t) => {
  const { one, two } = await light(t);
  const mark = join(two.dir, 'mark');
  for (const place of [
    `ssh://-oProxyCommand=touch ${mark}`,
    `ssh://-oProxyCommand=touch%20${mark}@x`,
    `ssh://x;touch ${mark}`,
  ]) {
    assert.equal((await one.init('migrate', 'web', place)).code, 2, place);
  }
  await host.serve();
  const odd = `${two.dir}/$(touch ${mark});touch ${mark};'`;
  assert.notEqual((await one.init('migrate', 'web', `ssh://root@${host.address}${odd}`)).code, 0);
  assert.equal(existsSync(mark), false);
});

test('an other end of another version, one that is no qemu-init, and a talkative shell', async (t) => {
  const { one, two, there } = await light(t);
  const tool = join(two.dir, 'qemu-init');
  const asTool = async (script: string): Promise<string> => {
    writeFileSync(tool, `#!/bin/sh\n${script}\n`);
    chmodSync(tool, 0o755);
    await host.serve(`SetEnv PATH=${two.dir}:${process.env['PATH']}`);
    return (await one.init('migrate', 'web', there)).stderr;
  };
  assert.match(
    await asTool(`echo '{"receive":99,"version":"99.0"}'; cat`),
    /has version 99.0, which does not work together with/,
  );
  assert.match(
    await asTool('echo \'qemu-init: "receive" is not an action\' >&2; exit 2'),
    /is too old to take in a guest/,
  );
  assert.match(await asTool('yes hello'), /What answers at ssh:.* is not qemu-init/);
  assert.match(
    await asTool(`echo '{"receive":1}'; echo no; cat >/dev/null`),
    /What answers at ssh:.* is not qemu-init/,
  );
  assert.match(await asTool(`echo '{"receive":1}'; kill -9 $$`), /The connection to ssh:.* is lost/);
  await host.serve();
  writeFileSync(join(client.dir, '../.profile'), 'echo hello\n');
  assert.equal(await one.state('web'), 'running');
  assert.deepEqual(
    one.leftovers().filter((file) => file.startsWith('.move')),
    [],
  );
});

test('all that is in the way there is reported at once, with a server that forwards nothing', async (t) => {
  const { one, two, there } = await light(t);
  await host.serve('AllowStreamLocalForwarding no');
  two.write('etc/qemu/web-qemu.cfg', 'RAM=8M\n');
  const cfg = join(one.etcDir, 'web-qemu.cfg');
  const text = readFileSync(cfg, 'utf8');
  writeFileSync(cfg, `${text}NIC1=virtio-net-pci,net=bridge,bridge=nobr0\nRUNAS=nosuchuser\nNETIF=managed\n`);
  const { outcome, problems } = await one.one('migrate', 'web', there, '--check');
  assert.equal(outcome, 'impossible');
  for (const each of [
    /sshd there does not forward unix sockets/,
    /exists already/,
    /nosuchuser/,
    /Bridge \\"nobr0\\" does not exist/,
  ]) {
    assert.match(JSON.stringify(problems), each);
  }
  const { code, stderr } = await one.init('migrate', 'web', there);
  assert.equal(code, 1);
  assert.match(stderr, /forward unix sockets.*exists already/);
  assert.deepEqual(two.leftovers(), []);
});

test('a disk that is another file there is no shared disk, though its path and its number are the same', async (t) => {
  const { one, two, there } = await light(t);
  await host.serve();
  // A file that no QEMU writes to is what a copy on another host looks like.
  const other = guestDisk(tempRoot(t).etcDir, { name: 'other.img' });
  const cfg = join(one.etcDir, 'web-qemu.cfg');
  const text = readFileSync(cfg, 'utf8');
  writeFileSync(cfg, text.replace(/^DSK1=.*$/m, `DSK1=${other}`));
  const { problems } = await one.one('migrate', 'web', there, '--check');
  assert.match(
    JSON.stringify(problems),
    /is another file there, or its storage does not share locks: move it along with --copy-disks/,
  );
  // The image of a line of [custom] is nothing that could be copied.
  writeFileSync(cfg, `${text}[custom]\n-drive file=${other},format=raw,if=virtio\n`);
  const custom = await one.one('migrate', 'web', there, '--check', '--copy-disks');
  assert.match(JSON.stringify(custom['problems']), /image 1 of \[custom\].*is another file there.*no move copies it/);
  assert.deepEqual(two.leftovers(), []);
});

test('a guest that is paused stays so over ssh, and one whose machine stays registered comes back', async (t) => {
  const { one, two, there } = await light(t);
  await host.serve();
  await one.ok('pause', 'web');
  const moved = await one.one('migrate', 'web', there, '--keep-config');
  assert.deepEqual([moved['outcome'], moved['state'], moved['downtimeMs']], ['moved', 'paused', null]);
  assert.match((await one.init('start', 'web')).stderr, /its guest has moved to ssh:/);
  await two.ok('resume', 'web');
  assert.equal((await two.one('migrate', 'web', `root:${one.dir}`))['outcome'], 'moved');
  assert.equal(await one.state('web'), 'running');
});

test('a machine that is registered at both hosts moves there and back, if it is the same machine', async (t) => {
  const { one, two, there } = await light(t);
  await host.serve();
  const cfg = readFileSync(join(one.etcDir, 'web-qemu.cfg'), 'utf8');
  const path = two.write('etc/qemu/web-qemu.cfg', cfg.replace('RAM=8M', 'RAM=9M'));
  two.write('etc/qemu/qemu-init.reg', 'web=web\n');
  const nowhere = `${there}/nowhere`;
  assert.match((await one.init('migrate', 'web', nowhere)).stderr, /there is no folder ".*\/nowhere"/);
  assert.match(JSON.stringify((await one.one('migrate', 'web', nowhere, '--check'))['problems']), /there is no folder/);
  assert.equal(existsSync(join(two.dir, 'nowhere')), false);
  assert.match((await one.init('migrate', 'web', there)).stderr, /exists already/);
  assert.match(
    (await one.init('migrate', 'web', there, '--keep-config')).stderr,
    /does not say the same there as here/,
  );
  writeFileSync(path, `# the same, but for a comment\n${cfg}`);
  // Interrupted, it is as it was.
  const slow = one.spawn('qemu-init', ['migrate', 'web', there, '--keep-config', '--rate', '10K']);
  await until('it comes', () => existsSync(two.file('web', 'qemu/qmp.sock')));
  slow.child.kill('SIGINT');
  assert.equal((await slow.result).code, 130);
  assert.equal(await one.state('web'), 'running');
  assert.deepEqual([await two.state('web'), two.leftovers()], ['stopped', []]);
  assert.equal((await one.one('migrate', 'web', there, '--keep-config'))['outcome'], 'moved');
  assert.match(readFileSync(path, 'utf8'), /but for a comment/);
  assert.deepEqual([await one.state('web'), await two.state('web')], ['stopped', 'running']);
  assert.equal((await two.one('migrate', 'web', `root:${one.dir}`, '--keep-config'))['outcome'], 'moved');
  assert.deepEqual([await one.state('web'), await two.state('web')], ['running', 'stopped']);
  // Who knows that it runs nowhere else starts it, and no note of the move is left that would end it again.
  await one.ok('kill', 'web');
  await two.ok('start', '--i-know', 'web');
  assert.equal(await two.state('web'), 'running');
});

test('a move that is given up is over at both hosts by then, whether it was interrupted or the QEMU there ended', async (t) => {
  const { one, two, there } = await light(t);
  await host.serve();
  for (const end of ['SIGINT', 'QEMU'] as const) {
    const slow = one.spawn('qemu-init', ['migrate', 'web', there, '--rate', '10K']);
    await until('it comes', () => existsSync(two.file('web', 'qemu/move.sock')));
    if (end === 'SIGINT') slow.child.kill(end);
    else for (const pid of two.qemus()) process.kill(pid, 'SIGKILL');
    const { code, stderr } = await slow.result;
    assert.equal(code, end === 'SIGINT' ? 130 : 1, stderr);
    assert.doesNotMatch(stderr, /cannot be told/, end);
    const { state, move } = await one.one('status', 'web');
    assert.deepEqual([state, move], ['running', null], end);
    assert.deepEqual(two.leftovers(), []);
    assert.equal(existsSync(join(two.etcDir, 'web-qemu.cfg')), false);
  }
});

test('while the hosts do not see each other, and only one of them knows who owns the guest, the user decides', async (t) => {
  const { one, two, there } = await light(t);
  await host.serve();
  const migrate = one.spawn('qemu-init', ['migrate', 'web', there], { env: stoppingAt('send {"do":"release"') });
  await stoppedThere(migrate);
  migrate.child.kill('SIGKILL');
  await migrate.result;
  await until(
    'the other end is over',
    () => !programsNaming(two.dir).some((line) => line.includes(' receive --root ')),
  );
  // What would set it right is not there.
  await host.serve('SetEnv PATH=/nonexistent');
  const phase = async (root: Lab): Promise<unknown> =>
    Reflect.get(Object((await root.one('status', 'web'))['move']), 'phase');
  assert.deepEqual([await phase(one), await phase(two)], ['handed-over', 'switching']);
  assert.match((await one.init('start', 'web')).stderr, /its guest has moved to ssh:/);
  assert.match((await two.init('start', 'web')).stderr, /which has not released it/);
  assert.match((await one.init('jobs', 'resume', 'web')).stderr, /The other end of the move cannot be asked now/);
  await one.ok('start', '--i-know', 'web');
  assert.equal(await one.state('web'), 'running');
  assert.equal(await phase(one), 'kept');
  await host.serve();
  await one.ok('jobs', 'resume', 'web');
  assert.deepEqual([await phase(one), await one.state('web')], [undefined, 'running']);
  assert.deepEqual(two.leftovers(), []);
  assert.equal(existsSync(join(two.etcDir, 'web-qemu.cfg')), false);
});
