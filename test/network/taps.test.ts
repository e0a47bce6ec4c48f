import assert from 'node:assert/strict';
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { tapName } from '../../src/network/taps/tap-names.ts';
import { writeTapRecords } from '../../src/network/taps/tap-records.ts';
import type { TapSpec } from '../../src/network/taps/tap-spec.ts';
import { setUpTaps, tearDownTaps } from '../../src/network/taps/taps.ts';
import { type Cleanup, tempDir } from '../support/temp-root.ts';
import { enterOwnNamespace } from './own-namespace.ts';
import { clearNetwork, isRunningHere, linkNames, links, makeBridge, ruleTables, sh } from './shell.ts';

await enterOwnNamespace();
beforeEach(clearNetwork);

const plain = { bridge: 'br0', mac: 'DE:AD:BE:EF:00:01', queues: 1, isolated: false, lock: false, addresses: [] };

function wish(index: number, more: Partial<TapSpec> = {}, machine = 'web'): TapSpec {
  return { ...plain, machine, index, tap: tapName(machine, index), mac: `DE:AD:BE:EF:00:0${index}`, ...more };
}

function tapsDirOf(t: Cleanup): string {
  return join(tempDir(t), '.taps');
}

test('a tap has its owner, MTU, bridge, address, and no IPv6 address of its own', async (t) => {
  makeBridge('br0', 'mtu', '9000');
  await setUpTaps([wish(1)], { tapsDir: tapsDirOf(t), user: 'nobody' });
  const tap = links().get('web.1');
  assert.equal(tap?.linkinfo?.info_data?.user, 'nobody');
  assert.deepEqual(
    [tap.mtu, tap.master, tap.address, tap.flags.includes('UP')],
    [9000, 'br0', 'fe:ad:be:ef:00:01', true],
  );
  assert.equal(sh('ip', '-6', 'address', 'show', 'dev', 'web.1'), '');
  assert.equal(links().get('br0')?.mtu, 9000);
});

test('eight taps on several bridges are made and removed with nothing left', async (t) => {
  const tapsDir = tapsDirOf(t);
  makeBridge('br0');
  makeBridge('br1');
  const specs = [1, 2, 3, 4, 5, 6, 7, 8].map((index) =>
    wish(index, { bridge: `br${index % 2}`, queues: index === 8 ? 2 : 1 }),
  );
  await setUpTaps(specs, { tapsDir });
  assert.deepEqual(
    specs.map(({ tap }) => links().get(tap)?.master),
    specs.map(({ bridge }) => bridge),
  );
  assert.equal(links().get('web.8')?.linkinfo?.info_data?.multi_queue, true);
  await tearDownTaps('web', { tapsDir });
  assert.deepEqual(linkNames(), ['br0', 'br1']);
  assert.deepEqual(readdirSync(tapsDir), []);
  await tearDownTaps('web', { tapsDir });
});

test('an isolated port is isolated', async (t) => {
  makeBridge('br0');
  await setUpTaps([wish(1, { isolated: true }), wish(2)], { tapsDir: tapsDirOf(t) });
  assert.deepEqual(
    ['web.1', 'web.2'].map((name) => links().get(name)?.linkinfo?.info_slave_data?.isolated),
    [true, false],
  );
});

test('when the third of four bridges is missing nothing is made', async (t) => {
  const tapsDir = tapsDirOf(t);
  makeBridge('br0');
  const specs = [1, 2, 3, 4].map((index) => wish(index, { bridge: index === 3 ? 'br9' : 'br0' }));
  await assert.rejects(setUpTaps(specs, { tapsDir }), {
    code: 'QEMU_COMMAND_FAILED',
    message: 'Cannot attach tap "web.3": bridge "br9" does not exist',
  });
  assert.deepEqual(linkNames(), ['br0']);
  assert.equal(existsSync(tapsDir), false);
});

test('an interface that is no bridge is told from one', async (t) => {
  sh('ip', 'link', 'add', 'br0', 'type', 'veth', 'peer', 'name', 'other');
  await assert.rejects(setUpTaps([wish(1)], { tapsDir: tapsDirOf(t) }), {
    message: 'Cannot attach tap "web.1": "br0" is not a bridge',
  });
});

test('when the kernel refuses the third of four taps nothing is left', async (t) => {
  const tapsDir = tapsDirOf(t);
  makeBridge('br0');
  const specs = [1, 2, 3, 4].map((index) => wish(index, index === 3 ? { mtu: 70_000 } : {}));
  await assert.rejects(setUpTaps(specs, { tapsDir }), (error: Error & { code: string }) => {
    assert.equal(error.code, 'QEMU_COMMAND_FAILED');
    assert.match(error.message, /^Cannot set up tap "web\.3" with "ip link set dev web\.3 /);
    return true;
  });
  assert.deepEqual(linkNames(), ['br0']);
  assert.deepEqual(readdirSync(tapsDir), []);
});

test('taps that a killed run has left are made anew', async (t) => {
  const tapsDir = tapsDirOf(t);
  makeBridge('br0');
  makeBridge('br1');
  await setUpTaps([wish(1), wish(2)], { tapsDir, user: 'nobody' });
  await setUpTaps([wish(1, { bridge: 'br1' }), wish(2)], { tapsDir });
  assert.equal(links().get('web.1')?.master, 'br1');
  assert.equal(links().get('web.1')?.linkinfo?.info_data?.user, undefined);
});

test('taps are found and removed when all notes are lost', async (t) => {
  const tapsDir = tapsDirOf(t);
  makeBridge('br0');
  await setUpTaps([wish(1), wish(2)], { tapsDir });
  rmSync(tapsDir, { recursive: true });
  await tearDownTaps('web', { tapsDir });
  assert.deepEqual(linkNames(), ['br0']);
});

test('a tap that was made and not yet marked when ip was killed is removed', async (t) => {
  const tapsDir = tapsDirOf(t);
  writeTapRecords([wish(1)], tapsDir);
  sh('ip', 'tuntap', 'add', 'dev', 'web.1', 'mode', 'tap');
  await tearDownTaps('web', { tapsDir });
  assert.deepEqual(linkNames(), []);
});

test('a note that was being written when its writer was killed is removed', async (t) => {
  const tapsDir = tapsDirOf(t);
  writeTapRecords([wish(1)], tapsDir);
  for (const name of ['.web.3.123-4.tmp', '.other.1.123-4.tmp']) writeFileSync(join(tapsDir, name), '{"tap"');
  await tearDownTaps('web', { tapsDir });
  assert.deepEqual(readdirSync(tapsDir), ['.other.1.123-4.tmp']);
});

test("another program's interface of that name stays, and is named", async (t) => {
  const tapsDir = tapsDirOf(t);
  makeBridge('br0');
  sh('ip', 'tuntap', 'add', 'dev', 'web.1', 'mode', 'tap');
  await assert.rejects(setUpTaps([wish(1)], { tapsDir }), {
    code: 'QEMU_COMMAND_FAILED',
    message: 'Cannot make tap "web.1": an interface with that name already exists',
  });
  await tearDownTaps('web', { tapsDir });
  assert.deepEqual(linkNames(), ['br0', 'web.1']);
});

test('a machine of the same name in another scope keeps its taps', async (t) => {
  const [mine, theirs] = [tapsDirOf(t), tapsDirOf(t)];
  makeBridge('br0');
  await setUpTaps([wish(1)], { tapsDir: theirs });
  await tearDownTaps('web', { tapsDir: mine });
  await assert.rejects(setUpTaps([wish(1)], { tapsDir: mine }), { code: 'QEMU_COMMAND_FAILED' });
  assert.deepEqual(linkNames(), ['br0', 'web.1']);
});

test('machines do not touch the taps of others whose names begin alike', async (t) => {
  const tapsDir = tapsDirOf(t);
  makeBridge('br0');
  const names = ['web', 'web.1', 'web-server-of-the-company-1', 'web-server-of-the-company-2'];
  for (const name of names) await setUpTaps([wish(1, {}, name)], { tapsDir });
  await tearDownTaps('web', { tapsDir });
  await tearDownTaps('web-server-of-the-company-1', { tapsDir });
  assert.deepEqual(linkNames(), ['br0', 'web.1.1', tapName('web-server-of-the-company-2', 1)].sort());
});

test('lock=on leaves no rule behind, with or without notes', async (t) => {
  const tapsDir = tapsDirOf(t);
  makeBridge('br0');
  const locked = { lock: true, addresses: ['192.0.2.1', '2001:db8::/64'] };
  await setUpTaps([wish(1, locked), wish(2, locked), wish(3)], { tapsDir });
  assert.deepEqual(ruleTables(), ['table netdev qemu-init.web.1', 'table netdev qemu-init.web.2']);
  await setUpTaps([wish(1, locked), wish(2, locked), wish(3)], { tapsDir });
  await tearDownTaps('web', { tapsDir });
  assert.deepEqual(ruleTables(), []);
  await setUpTaps([wish(1, locked)], { tapsDir });
  rmSync(tapsDir, { recursive: true });
  await tearDownTaps('web', { tapsDir });
  assert.deepEqual(ruleTables(), []);
});

test('lock=on without nft is refused before anything is made', (t) => {
  const tapsDir = tapsDirOf(t);
  makeBridge('br0');
  // Programs are looked up in /usr/sbin too, so it has to be out of sight for this one process.
  const result = inChild(`mount --bind /dev/null "$(command -v nft)"`, [wish(1, { lock: true })], tapsDir);
  assert.match(result.stderr, /Cannot lock NIC1 of "web" to its address: program "nft" is missing/);
  assert.deepEqual(linkNames(), ['br0']);
  assert.equal(existsSync(tapsDir), false);
});

test('without rights nothing is made, and the error says what is needed', (t) => {
  const tapsDir = tapsDirOf(t);
  makeBridge('br0');
  const result = inChild('set -- setpriv --bounding-set=-net_admin --inh-caps=-net_admin "$@"', [wish(1)], tapsDir);
  assert.match(result.stderr, /QEMU_NOT_PERMITTED/);
  assert.deepEqual(readdirSync(tapsDir), []);
});

test('SIGKILL at any moment leaves nothing that the next clean-up does not remove', async (t) => {
  const tapsDir = tapsDirOf(t);
  makeBridge('br0');
  const specs = [1, 2, 3, 4].map((index) => wish(index, { lock: index === 1 }));
  for (let milliseconds = 60; milliseconds <= 180; milliseconds += 10) {
    inChild(`set -- timeout -s KILL ${milliseconds / 1000} "$@"`, specs, tapsDir);
    // What it had started goes on for a moment, and would make taps behind the back of the clean-up.
    while (isRunningHere('ip') || isRunningHere('nft')) await setImmediate();
    await tearDownTaps('web', { tapsDir });
    assert.deepEqual([linkNames(), ruleTables(), existsSync(tapsDir) ? readdirSync(tapsDir) : []], [['br0'], [], []]);
  }
});

/** Sets up taps in a process of its own, after some lines of shell that may change how it is run. */
function inChild(prepare: string, specs: readonly TapSpec[], tapsDir: string): SpawnSyncReturns<string> {
  const script = join(tapsDir, '../child.mjs');
  const module = import.meta.resolve('../../src/network/taps/taps.js');
  writeFileSync(
    script,
    `import { setUpTaps } from ${JSON.stringify(module)};
     await setUpTaps(${JSON.stringify(specs)}, { tapsDir: ${JSON.stringify(tapsDir)} });`,
  );
  const shell = `mount --make-rprivate /; ${prepare}\nexec "$@"`;
  return spawnSync('unshare', ['--mount', 'sh', '-ec', shell, 'sh', process.execPath, script], { encoding: 'utf8' });
}
