import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, test } from 'node:test';
import { writeTapRecords } from '../../src/network/taps/tap-records.ts';
import type { TapSpec } from '../../src/network/taps/tap-spec.ts';
import { type CliResult, runCli } from '../support/cli.ts';
import { repoRoot } from '../support/repo.ts';
import { type Cleanup, tempDir } from '../support/temp-root.ts';
import { enterOwnNamespace } from './own-namespace.ts';
import { clearNetwork, linkNames, links, makeBridge, ruleTables, sh } from './shell.ts';

await enterOwnNamespace();
beforeEach(clearNetwork);

const wish: TapSpec = {
  tap: 'web.1',
  machine: 'web',
  index: 1,
  bridge: 'br1',
  mac: 'DE:AD:BE:EF:00:01',
  queues: 1,
  isolated: false,
  lock: false,
  addresses: [],
};

interface Host {
  /** Value of QEMU_INIT_RUN. */
  readonly runDir: string;
  /** Calls the link `qemu-brup` or `qemu-brdown` as QEMU does. */
  hook(name: 'qemu-brup' | 'qemu-brdown', tap: string, env?: Record<string, string>): Promise<CliResult>;
  note(more: Partial<TapSpec>): void;
}

function host(t: Cleanup): Host {
  const runDir = tempDir(t);
  for (const name of ['qemu-brup', 'qemu-brdown']) symlinkSync(join(repoRoot, 'bin/qemu-netif'), join(runDir, name));
  return {
    runDir,
    hook: (name, tap, env = {}) =>
      runCli('qemu-netif', [tap], {
        path: join(runDir, name),
        env: { QEMU_INIT_RUN: runDir, BRIDGE_IFNAME: undefined, ...env },
      }),
    note: (more) => writeTapRecords([{ ...wish, ...more }], join(runDir, '.taps')),
  };
}

function makeTap(name = 'web.1'): void {
  sh('ip', 'tuntap', 'add', 'dev', name, 'mode', 'tap');
}

/** Fails with what the tool said unless it has ended well and without a word. */
function assertQuiet({ code, stdout, stderr }: CliResult): void {
  assert.deepEqual([code, stdout, stderr], [0, '', '']);
}

test('the hook joins the tap to the bridge that start has noted', async (t) => {
  const { hook, note } = host(t);
  makeBridge('br0');
  makeBridge('br1', 'mtu', '1400');
  makeTap();
  note({ isolated: true });
  assertQuiet(await hook('qemu-brup', 'web.1', { BRIDGE_IFNAME: 'br0' }));
  const tap = links().get('web.1');
  assert.deepEqual([tap?.master, tap?.mtu, tap?.address], ['br1', 1400, 'fe:ad:be:ef:00:01']);
  assert.equal(tap?.flags.includes('UP'), true);
  assert.equal(tap?.linkinfo?.info_slave_data?.isolated, true);
});

test('two NICs of one machine join the bridges that each of them names', async (t) => {
  const { hook, note } = host(t);
  makeBridge('br1');
  makeBridge('br2');
  for (const [index, bridge] of [
    [1, 'br2'],
    [2, 'br1'],
  ] as const) {
    makeTap(`web.${index}`);
    note({ tap: `web.${index}`, index, bridge });
    assertQuiet(await hook('qemu-brup', `web.${index}`));
  }
  assert.deepEqual([links().get('web.1')?.master, links().get('web.2')?.master], ['br2', 'br1']);
});

test('without a note BRIDGE_IFNAME says which bridge, and without that it is br0', async (t) => {
  const { hook } = host(t);
  makeBridge('br0');
  makeBridge('br7');
  makeTap('tap0');
  makeTap('tap1');
  assertQuiet(await hook('qemu-brup', 'tap0'));
  assertQuiet(await hook('qemu-brup', 'tap1', { BRIDGE_IFNAME: 'br7' }));
  assert.deepEqual([links().get('tap0')?.master, links().get('tap1')?.master], ['br0', 'br7']);
  assert.match(links().get('tap0')?.address ?? '', /^fe:/);
});

test('the hooks may be called twice, and on a tap that is up or down already', async (t) => {
  const { hook } = host(t);
  makeBridge('br0');
  makeTap('tap0');
  sh('ip', 'link', 'set', 'tap0', 'up');
  assertQuiet(await hook('qemu-brup', 'tap0'));
  const once = links().get('tap0');
  assertQuiet(await hook('qemu-brup', 'tap0'));
  assert.deepEqual(links().get('tap0'), once);
  assertQuiet(await hook('qemu-brdown', 'tap0'));
  assertQuiet(await hook('qemu-brdown', 'tap0'));
  assert.deepEqual([links().get('tap0')?.master, links().get('tap0')?.flags.includes('UP')], [undefined, false]);
});

test('a missing bridge is named, and the status says that it failed', async (t) => {
  const { hook, note } = host(t);
  makeTap();
  note({ bridge: 'br9' });
  const { code, stderr } = await hook('qemu-brup', 'web.1');
  assert.equal(code, 1);
  assert.equal(
    stderr,
    'qemu-brup: Cannot attach tap "web.1": bridge "br9" does not exist\n  hint: make it with: qemu-netif bridge add br9\n',
  );
});

test('a tap that is gone is an error for up and none for down', async (t) => {
  const { hook } = host(t);
  makeBridge('br0');
  const up = await hook('qemu-brup', 'web.1');
  assert.equal(up.code, 1);
  assert.equal(up.stderr, 'qemu-brup: Cannot attach tap "web.1": no interface has that name\n');
  assertQuiet(await hook('qemu-brdown', 'web.1'));
});

test('a damaged note never puts a guest on another network', async (t) => {
  const { hook, runDir } = host(t);
  makeBridge('br0');
  makeTap();
  mkdirSync(join(runDir, '.taps'));
  for (const text of ['', '{"tap":"web.1"', '{}', 'null', JSON.stringify({ ...wish, bridge: '../x' })]) {
    writeFileSync(join(runDir, '.taps/web.1'), text);
    const { code, stderr } = await hook('qemu-brup', 'web.1');
    assert.equal(code, 1, text);
    assert.match(stderr, /its note ".*\/\.taps\/web\.1" is damaged/);
  }
  assert.equal(links().get('web.1')?.master, undefined);
});

test('what is no name of an interface is refused', async (t) => {
  const { hook } = host(t);
  for (const tap of ['../x', 'a b', '', 'tap0\nlink delete dev br0', '-x']) {
    assert.equal((await hook('qemu-brup', tap)).code, 2, tap);
    assert.equal((await hook('qemu-brdown', tap)).code, 2, tap);
  }
  assert.equal((await hook('qemu-brup', 'tap0', { BRIDGE_IFNAME: 'a b' })).code, 2);
});

test('the rules of lock=on come and go with the hooks', async (t) => {
  const { hook, note } = host(t);
  makeBridge('br1');
  makeTap();
  note({ lock: true, addresses: ['192.0.2.1'] });
  assertQuiet(await hook('qemu-brup', 'web.1'));
  assert.deepEqual(ruleTables(), ['table netdev qemu-init.web.1']);
  assertQuiet(await hook('qemu-brdown', 'web.1'));
  assert.deepEqual(ruleTables(), []);
});

test('without rights the down hook leaves the rest to the kernel, and the up hook fails', (t) => {
  const { runDir } = host(t);
  makeBridge('br0');
  makeTap('tap0');
  const asNobody = (name: string) => {
    const drop = ['--bounding-set=-net_admin', '--inh-caps=-net_admin', process.execPath];
    return spawnSync('setpriv', [...drop, join(runDir, name), 'tap0'], { encoding: 'utf8' });
  };
  assert.deepEqual([asNobody('qemu-brdown').status, asNobody('qemu-brdown').stderr], [0, '']);
  assert.equal(asNobody('qemu-brup').status, 4);
  assert.match(asNobody('qemu-brup').stderr, /Operation not permitted/);
  const byHand = spawnSync('setpriv', [
    '--bounding-set=-net_admin',
    '--inh-caps=-net_admin',
    process.execPath,
    join(repoRoot, 'bin/qemu-netif'),
    'down',
    'tap0',
  ]);
  assert.equal(byHand.status, 4);
});

test('up and down do by hand what the hooks do', async () => {
  makeBridge('br3');
  makeTap('tap0');
  assertQuiet(await runCli('qemu-netif', ['up', 'tap0', '--bridge', 'br3']));
  assert.equal(links().get('tap0')?.master, 'br3');
  assertQuiet(await runCli('qemu-netif', ['down', 'tap0']));
  assertQuiet(await runCli('qemu-netif', ['up', '--bridge=br3', 'tap0']));
  assert.equal(links().get('tap0')?.master, 'br3');
});

test("QEMU's start fails with the hook's text when the bridge is missing", (t) => {
  const { runDir } = host(t);
  const { status, stderr } = qemu(runDir, [tapOption(runDir)]);
  assert.equal(status, 1);
  assert.match(stderr, /qemu-brup: Cannot attach tap "web\.1": bridge "br0" does not exist/);
  assert.deepEqual(linkNames(), []);
});

test('QEMU gets a tap on its bridge from the hooks and leaves none', (t) => {
  const { runDir } = host(t);
  makeBridge('br0');
  // The monitor ends QEMU once it has answered, and so after its start.
  const { status, stderr, stdout } = qemu(runDir, [tapOption(runDir), '-monitor', 'stdio'], 'info network\nquit\n');
  assert.deepEqual([status, stderr], [0, '']);
  assert.match(stdout, /net0: index=0,type=tap,ifname=web\.1/);
  assert.deepEqual(linkNames(), ['br0']);
});

test('QEMU in its full sandbox uses a tap that was made before, as a user without rights', (t) => {
  const { runDir } = host(t);
  makeBridge('br0');
  sh('ip', 'tuntap', 'add', 'dev', 'web.1', 'mode', 'tap', 'user', 'nobody', 'multi_queue');
  const sandbox = 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny';
  const tap = 'tap,id=net0,ifname=web.1,script=no,downscript=no,queues=2';
  const { status, stderr } = qemu(runDir, [tap, '-monitor', 'stdio', '-sandbox', sandbox], 'quit\n', [
    'setpriv',
    '--reuid=65534',
    '--regid=65534',
    '--clear-groups',
  ]);
  assert.deepEqual([status, stderr], [0, '']);
});

function tapOption(runDir: string): string {
  return `tap,id=net0,script=${runDir}/qemu-brup,downscript=${runDir}/qemu-brdown,ifname=web.1`;
}

function qemu(
  runDir: string,
  args: readonly string[],
  input = '',
  before: readonly string[] = [],
): ReturnType<typeof spawn> {
  const machine = ['-nodefaults', '-no-user-config', '-machine', 'q35', '-display', 'none', '-S'];
  const device = ['-device', 'virtio-net-pci,netdev=net0', '-netdev'];
  return spawn([...before, 'qemu-system-x86_64', ...machine, ...device, ...args], runDir, input);
}

function spawn([file = '', ...args]: readonly string[], runDir: string, input: string) {
  const env = { ...process.env, QEMU_INIT_RUN: runDir };
  return spawnSync(file, args, { encoding: 'utf8', input, timeout: 30_000, env });
}

test('the hook loads one file of ours and no package', async (t) => {
  const { runDir, hook, note } = host(t);
  makeBridge('br1');
  makeTap();
  note({});
  const spy = join(runDir, 'spy.cjs');
  const report = join(runDir, 'loaded');
  const loaded = `Object.keys(require.cache).join('\\n')`;
  writeFileSync(spy, `process.on('exit', () => require('node:fs').writeFileSync('${report}', ${loaded}))`);
  assertQuiet(await hook('qemu-brup', 'web.1', { NODE_OPTIONS: `--require ${spy}` }));
  assert.deepEqual(
    readFileSync(report, 'utf8').split('\n').sort(),
    [join(repoRoot, 'bin/qemu-netif'), join(repoRoot, 'dist/bin/qemu-netif.cjs'), spy].sort(),
  );
});
