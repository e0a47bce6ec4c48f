import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { guestDisk } from '../support/guest-disk.ts';
import { type Lab, LIGHT, lab, until } from '../support/lab.ts';
import { type MoveLab, moveLab } from '../support/move-lab.ts';
import { findSshd, sshHosts } from '../support/ssh-host.ts';
import { type Cleanup, tempRoot } from '../support/temp-root.ts';
import { readFromTpm, writeToTpm } from '../support/tpm.ts';
import { checkRecords } from '../support/writer-guest.ts';
import { enterOwnNamespace } from './own-namespace.ts';

findSshd();
await enterOwnNamespace();

const { hosts } = sshHosts(test, 2);
for (const host of hosts) await host.serve();

/** On a host that is busy; for waits that end with what they wait for. */
const LONG_MS = 240_000;

/** Two hosts that see the same disk, and reach one another over ssh. */
const sshLab = (t: Cleanup): MoveLab => moveLab(t, undefined, (dir, at) => `ssh://root@${hosts[at]?.address}${dir}`);

test('a guest moves to another host over ssh and back, and loses nothing', async (t) => {
  const moves = sshLab(t);
  const [one, two] = moves.places;
  await one.lab.ok('start', 'web');
  await until('it writes', () => moves.written() > 3, LONG_MS);
  const possible = await one.lab.one('migrate', 'web', two.name, '--check');
  assert.deepEqual([possible['outcome'], possible['problems']], ['possible', []]);
  moves.assertGone(two, 'after a look');
  for (const [from, to] of [
    [one, two],
    [two, one],
  ] as const) {
    const moved = await from.lab.one('migrate', 'web', to.name);
    assert.deepEqual([moved['outcome'], moved['state'], moved['destination']], ['moved', 'running', to.name]);
    t.diagnostic(`${moved['seconds']} s, it stood still for ${moved['downtimeMs']} ms`);
    moves.assertGone(from, 'after the move');
    await moves.writesOn();
  }
  await one.lab.ok('kill', 'web');
  const { last, wrong } = checkRecords(moves.disk);
  assert.ok(last >= moves.written());
  assert.deepEqual(wrong, []);
});

test('a guest takes its disk along to another host over ssh, also when that is interrupted at first', async (t) => {
  const moves = sshLab(t);
  const [one, two] = moves.places;
  await one.lab.ok('start', 'web');
  await until('it writes', () => moves.written() > 3, LONG_MS);
  const slow = one.lab.spawn('qemu-init', ['migrate', 'web', two.name, '--copy-disks', '--rate', '1M'], {
    timeoutMs: LONG_MS,
  });
  await until('it copies', () => existsSync(one.lab.file('web', 'qemu/move-disks.sock')), LONG_MS);
  await moves.writesOn();
  slow.child.kill('SIGINT');
  assert.equal((await slow.result).code, 130);
  moves.assertGone(two, 'after it was interrupted');
  assert.equal(existsSync(join(two.lab.etcDir, 'web.qcow2')), false);
  assert.equal((await one.lab.one('migrate', 'web', two.name, '--copy-disks'))['outcome'], 'moved');
  moves.assertGone(one, 'after the move');
  await moves.writesOn();
  await two.lab.ok('kill', 'web');
  const { last, wrong } = checkRecords(join(two.lab.etcDir, 'web.qcow2'));
  assert.ok(last >= moves.written());
  assert.deepEqual(wrong, []);
});

test('what a guest keeps in its TPM and its firmware goes along with its disk, here and over ssh', async (t) => {
  const labs = [lab(t), lab(t), lab(t)] as const;
  for (const root of labs) root.ownPorts();
  const [one, two, three] = labs;
  const state = (root: Lab, name = ''): string => join(root.stateDir, 'web', name);
  const disk = guestDisk(tempRoot(t).etcDir, { name: 'old.img' });
  one.write('etc/qemu/web-qemu.cfg', `${LIGHT}DSK1="${disk},format=raw"\nTPM=on\nFIRMWARE=uefi\n`);
  one.write('etc/qemu/qemu-init.reg', 'web=web\n');
  await one.ok('start', 'web', '--paused');
  await one.ok('kill', 'web');
  await writeToTpm(state(one, 'tpm'), 'a secret');
  const variables = readdirSync(state(one)).find((name) => name.startsWith('vars')) ?? '';
  execFileSync('qemu-io', ['-c', 'write -P 0x5a 0x80000 512', state(one, variables)]);
  await one.ok('start', 'web');
  for (const [from, to, there] of [
    [one, two, `root:${two.dir}`],
    [two, three, `ssh://root@${hosts[1]?.address}${three.dir}`],
  ] as const) {
    const slow = from.spawn('qemu-init', ['migrate', 'web', there, '--copy-disks', '--rate', '10K']);
    await until('it comes', () => existsSync(to.file('web', 'qemu/qmp.sock')), LONG_MS);
    slow.child.kill('SIGINT');
    assert.equal((await slow.result).code, 130);
    assert.deepEqual([await from.state('web'), existsSync(state(to))], ['running', false]);
    assert.equal((await from.one('migrate', 'web', there, '--copy-disks'))['outcome'], 'moved');
    assert.deepEqual(readdirSync(state(from)), []);
  }
  await three.ok('stop', 'web', '--force');
  assert.equal(await readFromTpm(state(three, 'tpm')), 'a secret');
  const read = ['-r', '-c', 'read -P 0x5a 0x80000 512', state(three, variables)];
  assert.match(execFileSync('qemu-io', read, { encoding: 'utf8' }), /^read 512/);
  await three.ok('start', 'web');
  await three.ok('stop', 'web', '--force');
});
