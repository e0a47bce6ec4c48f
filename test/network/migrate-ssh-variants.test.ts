import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { guestDisk } from '../support/guest-disk.ts';
import { type Lab, LIGHT, lab } from '../support/lab.ts';
import { findSshd, sshHosts } from '../support/ssh-host.ts';
import { tempRoot } from '../support/temp-root.ts';
import { enterOwnNamespace } from './own-namespace.ts';

findSshd();
await enterOwnNamespace();

const { hosts, client } = sshHosts(test, 1);
const [host] = hosts;
assert.ok(host);

const sh = (program: string, ...args: readonly string[]): string => execFileSync(program, args, { encoding: 'utf8' });

function knowAs(name: string): void {
  assert.ok(host);
  appendFileSync(join(client.dir, 'known_hosts'), `${name} ${readFileSync(join(host.dir, 'key.pub'), 'utf8')}`);
}

/** Two places, and an image that both see. */
function places(t: TestContext): { readonly one: Lab; readonly two: Lab; readonly disk: string } {
  const [one, two] = [lab(t), lab(t)];
  for (const root of [one, two]) root.ownPorts();
  return { one, two, disk: guestDisk(tempRoot(t).etcDir, { name: 'shared.img' }) };
}

test('a host is reached by an IPv6 address, and by a name with the port that ssh_config gives it', async (t) => {
  const { one, two, disk } = places(t);
  sh('ip', 'address', 'add', 'fd99::fe/64', 'dev', 'lan', 'nodad');
  const [program = '', ...prefix] = host.prefix;
  sh(program, ...prefix, 'ip', 'address', 'add', 'fd99::1/64', 'dev', 'br0', 'nodad');
  await host.serve('Port 2222\nListenAddress [fd99::1]:22');
  for (const name of ['fd99::1', 'node2']) knowAs(name);
  const config = join(client.dir, 'config');
  // A connection of the user that others may join is not the move's, and a terminal would garble what is said.
  writeFileSync(
    config,
    `Host node2
  HostName ${host.address}
  Port 2222
  HostKeyAlias node2
Host *
  RequestTTY force
  ControlMaster auto
  ControlPath ${client.dir}/own
  ControlPersist 60
`,
  );
  t.after(() => rmSync(config));
  sh('ssh', '-T', 'root@node2', 'true');
  one.add('web', `DSK1=${disk}\n`);
  await one.ok('start', 'web');
  for (const place of ['root@[fd99::1]', 'root@node2']) {
    const moved = await one.one('migrate', 'web', `ssh://${place}${two.dir}`);
    assert.deepEqual([moved['outcome'], moved['state']], ['moved', 'running'], place);
    assert.equal((await two.one('migrate', 'web', `root:${one.dir}`))['outcome'], 'moved');
    rmSync(join(two.etcDir, 'web-qemu.cfg.moved'));
  }
  sh('ssh', '-O', 'exit', 'root@node2');
  await one.ok('kill', 'web');
});

test('names with dots, and paths that a shell, a cfg file and QEMU would each take apart, arrive whole', async (t) => {
  await host.serve();
  const { one, two } = places(t);
  const folder = join(tempRoot(t).etcDir, `ü b,c $x'"`);
  const root = join(two.dir, `r ü'"$(x) %h`);
  for (const each of [folder, join(root, 'etc/qemu')]) mkdirSync(each, { recursive: true });
  writeFileSync(join(root, 'etc/qemu/monitor.conf'), readFileSync(join(two.etcDir, 'monitor.conf')));
  const disk = guestDisk(folder, { name: 'd,ä 1.img' });
  const name = 'web.ex-am_ple.1';
  one.write(`etc/qemu/${name}-qemu.cfg`, `${LIGHT}DSK1=${disk.replaceAll(',', ',,')}\n`);
  one.write('etc/qemu/qemu-init.reg', `${name}=${name}\n`);
  await one.ok('start', name);
  assert.equal((await one.one('migrate', name, `ssh://root@${host.address}${root}`))['outcome'], 'moved');
  const there = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await two.run('qemu-init', [...args], { root });
    assert.equal(code, 0, stderr);
    return stdout;
  };
  assert.match(await there('diff', name), /nothing to change/);
  assert.match(await there('migrate', name, `root:${one.dir}`, '--copy-disks'), /: moved to /);
  assert.equal(await one.state(name), 'running');
  await one.ok('kill', name);
});

test('a guest stays with a running backup or with what was plugged in, and moves with its snapshots', async (t) => {
  await host.serve();
  const { one, two, disk: raw } = places(t);
  const there = `ssh://root@${host.address}${two.dir}`;
  const { etcDir } = tempRoot(t);
  const disk = join(etcDir, 'web.qcow2');
  sh('qemu-img', 'convert', '-O', 'qcow2', raw, disk);
  sh('qemu-img', 'resize', disk, '200M');
  sh('qemu-io', '-c', 'write -P 7 1M 100M', disk);
  one.add('web', `DSK1=${disk}\nHOTPLUG=2\n`);
  await one.ok('start', 'web');
  const refuses = async (why: RegExp): Promise<void> => {
    for (const more of [[], ['--check']]) {
      const { code, stdout, stderr } = await one.init('migrate', 'web', there, ...more);
      assert.equal(code, 1);
      assert.match(stdout + stderr, why);
    }
    assert.deepEqual([await one.state('web'), two.leftovers()], ['running', []]);
  };
  await one.ok('attach', 'web', `DSK2=${raw}`);
  await refuses(/DSK2 came or went since its start/);
  await one.ok('kill', 'web');
  await one.ok('start', 'web');
  await one.ok('snapshot', 'create', 'web', 'inside', '--memory');
  const folder = join(one.dir, 'backup');
  mkdirSync(folder);
  const backup = one.spawn('qemu-init', ['backup', 'create', 'web', folder, '--rate', '1M']);
  const deadline = Date.now() + 60_000;
  while (!/backup, running/.test(await one.ok('jobs', 'web'))) assert.ok(Date.now() < deadline, 'the backup runs');
  await refuses(/the job "[^"]*backup[^"]*" \(backup\) is not over/);
  backup.child.kill('SIGINT');
  assert.equal((await backup.result).code, 130);
  await one.ok('snapshot', 'create', 'web', 'above', '--external', '--quiesce', 'off');
  assert.equal((await one.one('migrate', 'web', there))['outcome'], 'moved');
  const list = await two.json('snapshot', 'list', 'web');
  assert.match(JSON.stringify(list), /"inside".*"above"/s);
  await two.ok('snapshot', 'revert', 'web', 'above');
  assert.equal(await two.state('web'), 'running');
  await two.ok('kill', 'web');
});
