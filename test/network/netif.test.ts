import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { type CliResult, parseJson, runCli } from '../support/cli.ts';
import { tempRoot } from '../support/temp-root.ts';
import { enterOwnNamespace } from './own-namespace.ts';
import { clearNetwork, linkNames, sh } from './shell.ts';

await enterOwnNamespace();
beforeEach(clearNetwork);

function netif(...args: readonly string[]): Promise<CliResult> {
  return runCli('qemu-netif', args);
}

test('bridge add, show and del tell what they did, as text and as JSON', async () => {
  const added = await netif('bridge', 'add', 'br0', '--address', '192.0.2.1/24,2001:db8::1/64');
  assert.deepEqual([added.code, added.stdout, added.stderr], [0, '', 'bridge "br0" is ready\n']);
  assert.deepEqual(parseJson(await netif('bridge', 'add', 'br0', '--json')), [{ name: 'br0', changed: false }]);

  const shown = await netif('bridge', 'show');
  assert.match(
    shown.stdout,
    /^BRIDGE +STATE +MTU +MAC +ADDRESSES +PORTS\nbr0 +up +1500 +\S+ +192\.0\.2\.1\/24 2001:db8::1\/64/,
  );
  const [bridge] = parseJson(await netif('bridge', 'show', 'br0', '--json')) as [Record<string, unknown>];
  assert.deepEqual(Object.keys(bridge), ['name', 'up', 'mac', 'mtu', 'vlanAware', 'own', 'addresses', 'ports']);
  assert.equal((await netif('bridge', 'show', 'br9')).code, 1);

  assert.equal((await netif('bridge', 'del', 'br0')).stderr, 'bridge "br0" is removed\n');
  assert.equal((await netif('bridge', 'del', 'br0')).stderr, 'there was no bridge "br0"\n');
  assert.deepEqual(linkNames(), []);
});

test('mistakes on the command line have status 2 and change nothing', async () => {
  const mistakes = [
    ['bridge', 'add', 'br0', '--address', 'x'],
    ['bridge', 'add', 'br0', '--mtu', '12'],
    ['bridge', 'add', 'a b'],
    ['bridge', 'add'],
    ['bridge'],
    ['up'],
    ['up', 'tap0', 'tap1'],
    ['sideways', 'tap0'],
    [],
  ];
  const codes = await Promise.all(mistakes.map(async (args) => (await netif(...args)).code));
  assert.deepEqual(
    codes,
    mistakes.map(() => 2),
  );
  assert.deepEqual(linkNames(), []);
});

test('check finds what keeps the registered machines from the network, and nothing when all is well', async (t) => {
  const root = tempRoot(t);
  const check = () => runCli('qemu-netif', ['check', '--json'], { root: root.dir });
  root.write('etc/qemu/qemu-init.reg', 'web=web\ndb=db\n');
  root.write('etc/qemu/web-qemu.cfg', 'NIC1=virtio-net-pci\n');
  root.write('etc/qemu/db-qemu.cfg', 'NIC1=virtio-net-pci\n');
  const missing = await check();
  assert.equal(missing.code, 1);
  assert.deepEqual(
    (parseJson(missing) as { title: string; fix: string }[]).map(({ title, fix }) => [title, fix]),
    [['Bridge "br0" does not exist', 'qemu-netif bridge add br0']],
  );
  await netif('bridge', 'add', 'br0');
  const good = await check();
  assert.deepEqual([good.code, parseJson(good)], [0, []]);

  // As Docker does.
  sh('nft', 'add table ip filter; add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }');
  sh('ip', 'tuntap', 'add', 'dev', 'db.1', 'mode', 'tap');
  const titles = (parseJson(await check()) as { title: string }[]).map(({ title }) => title);
  assert.deepEqual(titles, [
    'The firewall drops what IPv4 guests send to each other',
    'Interface "db.1" belongs to another program',
  ]);
  const doctor = await runCli('qemu-init', ['doctor', '--json'], { root: root.dir });
  const found = new Set((parseJson(doctor) as { title: string }[]).map(({ title }) => title));
  assert.deepEqual(
    titles.filter((title) => !found.has(title)),
    [],
  );
});
