import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { beforeEach, test } from 'node:test';
import { addBridge, deleteBridge, listBridges } from '../../src/network/bridges/bridges.ts';
import { setUpTaps } from '../../src/network/taps/taps.ts';
import { tempDir } from '../support/temp-root.ts';
import { enterOwnNamespace } from './own-namespace.ts';
import { clearNetwork, linkNames, links, sh } from './shell.ts';

await enterOwnNamespace();
beforeEach(clearNetwork);

const br0 = { name: 'br0', addresses: [], vlanAware: false };

/** An interface with the far end of its cable in the same namespace. */
function makeUplink(name = 'eth0'): void {
  sh(
    'ip',
    'link',
    'add',
    name,
    'address',
    '52:54:00:00:00:01',
    'mtu',
    '1400',
    'type',
    'veth',
    'peer',
    'name',
    `${name}-far`,
  );
  sh('ip', 'link', 'set', name, 'up');
  sh('ip', 'link', 'set', `${name}-far`, 'up');
}

/** What the host can reach, and how: addresses and routes of all interfaces but the link-local ones. */
function hostNetwork(): string[] {
  const lines = [
    sh('ip', '-o', 'address', 'show', 'scope', 'global'),
    sh('ip', '-4', 'route'),
    sh('ip', '-6', 'route'),
  ].join('');
  return lines
    .split('\n')
    .map((line) =>
      line
        .replace(/^\d+: /, '')
        .replace(/\s+/g, ' ')
        .replace(/ (linkdown|pref medium|tentative)/g, '')
        .trim(),
    )
    .filter((line) => line !== '' && !/^fe80|^\S+-far|inet6 fe80/.test(line));
}

test('a bridge from nothing is up, has its address, and is gone after del', async () => {
  assert.equal(await addBridge({ ...br0, addresses: ['192.0.2.1/24', '2001:db8::1/64'] }), true);
  const bridge = links().get('br0');
  assert.equal(bridge?.flags.includes('UP'), true);
  assert.match(sh('ip', '-o', 'address', 'show', 'dev', 'br0'), /192\.0\.2\.1\/24[\s\S]*2001:db8::1\/64/);
  assert.equal(await deleteBridge('br0'), true);
  assert.deepEqual(linkNames(), []);
});

test('add and del do nothing when there is nothing to do', async () => {
  await addBridge({ ...br0, addresses: ['192.0.2.1/24'] });
  assert.equal(await addBridge({ ...br0, addresses: ['192.0.2.1/24'] }), false);
  await deleteBridge('br0');
  assert.equal(await deleteBridge('br0'), false);
});

test('add gives an existing bridge what it lacks', async () => {
  sh('ip', 'link', 'add', 'br0', 'type', 'bridge');
  assert.equal(await addBridge({ ...br0, addresses: ['192.0.2.1/24'], mtu: 1400 }), true);
  assert.deepEqual([links().get('br0')?.flags.includes('UP'), links().get('br0')?.mtu], [true, 1400]);
});

test('the address of the bridge stays when a tap with a lower one comes', async (t) => {
  await addBridge(br0);
  const before = links().get('br0')?.address;
  sh('ip', 'tuntap', 'add', 'dev', 'low', 'mode', 'tap');
  sh('ip', 'link', 'set', 'low', 'address', '02:00:00:00:00:00', 'master', 'br0', 'up');
  assert.equal(links().get('br0')?.address, before);
  await assert.rejects(deleteBridge('br0'), { message: 'Cannot remove bridge "br0": it is used by "low"' });
  await setUpTaps(
    [
      {
        tap: 'web.1',
        machine: 'web',
        index: 1,
        bridge: 'br0',
        mac: 'DE:AD:BE:EF:00:01',
        queues: 1,
        isolated: false,
        lock: false,
        addresses: [],
      },
    ],
    { tapsDir: tempDir(t) },
  );
  const [info] = await listBridges(tempDir(t));
  assert.deepEqual(info?.ports, [
    { name: 'low', machine: undefined, vlan: undefined, isolated: false },
    { name: 'web.1', machine: 'web', vlan: undefined, isolated: false },
  ]);
  assert.deepEqual([info.own, info.up, info.mtu], [true, true, 1500]);
});

test('an uplink hands its addresses and routes over, and gets them back', async () => {
  makeUplink();
  for (const address of ['192.0.2.2/24', '192.0.2.3/24'])
    sh('ip', 'address', 'add', address, 'broadcast', '+', 'dev', 'eth0');
  sh('ip', 'address', 'add', '2001:db8::2/64', 'nodad', 'dev', 'eth0');
  sh('ip', 'route', 'add', '203.0.113.1', 'dev', 'eth0');
  sh('ip', 'route', 'add', 'default', 'via', '203.0.113.1', 'dev', 'eth0');
  sh('ip', 'route', 'add', '198.51.100.0/24', 'via', '192.0.2.1', 'metric', '50', 'src', '192.0.2.3');
  sh('ip', '-6', 'route', 'add', 'default', 'via', 'fe80::1', 'dev', 'eth0');
  const before = hostNetwork();

  assert.equal(await addBridge({ ...br0, uplink: 'eth0' }), true);
  assert.deepEqual(
    hostNetwork(),
    before.map((line) => line.replaceAll('eth0', 'br0')),
  );
  assert.deepEqual([links().get('br0')?.address, links().get('br0')?.mtu], ['52:54:00:00:00:01', 1400]);
  assert.equal(links().get('eth0')?.master, 'br0');
  assert.equal(await addBridge({ ...br0, uplink: 'eth0' }), false);

  assert.equal(await deleteBridge('br0'), true);
  assert.deepEqual(hostNetwork(), before);
  assert.deepEqual(linkNames(), ['eth0', 'eth0-far']);
});

test('when the kernel refuses in the middle everything is as before', async () => {
  makeUplink();
  sh('ip', 'address', 'add', '192.0.2.2/24', 'dev', 'eth0');
  sh('ip', 'route', 'add', 'default', 'via', '192.0.2.1');
  const before = hostNetwork();
  await assert.rejects(addBridge({ ...br0, uplink: 'eth0', addresses: ['198.51.100.1/24', 'nonsense'] }), {
    code: 'QEMU_COMMAND_FAILED',
    message: 'Cannot make bridge "br0"',
  });
  assert.deepEqual(hostNetwork(), before);
  assert.deepEqual(linkNames(), ['eth0', 'eth0-far']);
});

test('what cannot be an uplink is refused with its reason', async () => {
  const refusal = (uplink: string, reason: string) =>
    assert.rejects(addBridge({ ...br0, uplink }), {
      message: `Cannot use "${uplink}" as uplink of bridge "br0": ${reason}`,
    });
  await addBridge({ ...br0, name: 'br1' });
  makeUplink();
  sh('ip', 'link', 'set', 'eth0', 'master', 'br1');
  await refusal('nix', 'no interface has that name');
  await refusal('lo', 'it is a loopback interface');
  await refusal('br1', 'it is a bridge');
  await refusal('eth0', 'it belongs to "br1"');
});

test('bridges of others are not removed, and other interfaces not taken for bridges', async () => {
  sh('ip', 'link', 'add', 'br0', 'type', 'bridge');
  await assert.rejects(deleteBridge('br0'), { message: 'Cannot remove "br0": qemu-netif did not make it' });
  makeUplink();
  await assert.rejects(deleteBridge('eth0'), { code: 'QEMU_COMMAND_FAILED' });
  await assert.rejects(addBridge({ ...br0, name: 'eth0' }), {
    message: 'Cannot make bridge "eth0": another interface has that name',
  });
});

test('a connection over the uplink survives add and del', async (t) => {
  makeUplink();
  const far = spawn('unshare', ['--net', process.execPath, '-e', ECHO_SERVER], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => far.kill('SIGKILL'));
  await once(far.stdout, 'data');
  const onFar = (...args: string[]) => sh('nsenter', '-t', String(far.pid), '-n', 'ip', ...args);
  sh('ip', 'link', 'set', 'eth0-far', 'netns', String(far.pid));
  onFar('address', 'add', '192.0.2.1/24', 'dev', 'eth0-far');
  onFar('link', 'set', 'eth0-far', 'up');
  sh('ip', 'address', 'add', '192.0.2.2/24', 'dev', 'eth0');

  const connection = connect({ host: '192.0.2.1', port: 7, timeout: 20_000 });
  t.after(() => connection.destroy());
  connection.on('timeout', () => connection.destroy(new Error('no answer')));
  const assertAnswers = async (text: string) => {
    connection.write(text);
    const [answer] = await once(connection, 'data');
    assert.equal(String(answer), text);
  };
  await assertAnswers('before');
  await addBridge({ ...br0, uplink: 'eth0' });
  await assertAnswers('over the bridge');
  await deleteBridge('br0');
  await assertAnswers('after');
});

const ECHO_SERVER = `
require('node:net').createServer((socket) => socket.pipe(socket)).listen(7, '0.0.0.0', () => console.log('ready'));
process.stdin.resume().on('end', () => process.exit());`;
