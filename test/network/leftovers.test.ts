import assert from 'node:assert/strict';
import { existsSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { type CliResult, runCli, spawnCli } from '../support/cli.ts';
import { repoRoot } from '../support/repo.ts';
import { type Cleanup, tempRoot } from '../support/temp-root.ts';
import { enterOwnNamespace } from './own-namespace.ts';
import { clearNetwork, isRunningHere, linkNames, makeBridge, ruleTables } from './shell.ts';

await enterOwnNamespace();
beforeEach(clearNetwork);

const MODES = ['NETIF=hook', 'NETIF=managed'] as const;

/** Four NICs, one of them locked. */
const NICS = [
  'NIC1=virtio-net-pci',
  'NIC2=e1000',
  'NIC3=virtio-net-pci,lock=on,ip=192.0.2.1',
  'NIC4=virtio-net-pci,isolated=on',
];

const TAPS = ['web.1', 'web.2', 'web.3', 'web.4'];

interface Machine {
  init(...args: readonly string[]): Promise<CliResult>;
  /** Starts it, and kills the command after that time. */
  startAndKill(milliseconds: number): Promise<void>;
  /** Succeeds, or tells what qemu-init said. */
  must(...args: readonly string[]): Promise<void>;
  qemuPid(): number;
  /** All that could be left over: interfaces but br0, rules, notes. */
  traces(): string[];
}

function machine(t: Cleanup, mode: string, nics: readonly string[] = NICS): Machine {
  const root = tempRoot(t);
  for (const hook of ['qemu-brup', 'qemu-brdown'])
    symlinkSync(join(repoRoot, 'bin/qemu-netif'), join(root.etcDir, hook));
  root.write('etc/qemu/web-qemu.cfg', ['RAM=64M', 'KVM=off', 'VNC=off', mode, ...nics, ''].join('\n'));
  root.write('etc/qemu/qemu-init.reg', 'web=web\n');
  makeBridge('br0');
  const init: Machine['init'] = (...args) => runCli('qemu-init', args, { root: root.dir });
  const tapsDir = join(root.runDir, '.taps');
  return {
    init,
    async startAndKill(milliseconds) {
      const { child, result } = spawnCli('qemu-init', ['start', 'web'], { root: root.dir });
      setTimeout(() => child.kill('SIGKILL'), milliseconds);
      await result;
    },
    async must(...args) {
      const { code, stderr } = await init(...args);
      if (code !== 0) throw new Error(`qemu-init ${args.join(' ')}: ${stderr}`);
    },
    qemuPid: () => root.qemus()[0] ?? Number.NaN,
    traces: () => [
      ...linkNames().filter((name) => name !== 'br0'),
      ...ruleTables(),
      ...(existsSync(tapsDir) ? readdirSync(tapsDir).map((note) => `note ${note}`) : []),
    ],
  };
}

for (const mode of MODES) {
  test(`${mode}: nothing is left after a stop`, async (t) => {
    const web = machine(t, mode);
    const { code, stderr } = await web.init('start', 'web', '--verbose');
    assert.equal(code, 0, stderr);
    for (const tap of TAPS) assert.match(stderr, new RegExp(`^web: tap "${tap}" .* bridge "br0"$`, 'm'));
    assert.deepEqual(linkNames(), ['br0', ...TAPS]);
    assert.deepEqual(ruleTables(), ['table netdev qemu-init.web.3']);
    await web.must('stop', '--force', 'web');
    assert.deepEqual(web.traces(), []);
  });

  test(`${mode}: nothing is left after kill -9 of QEMU and a stop, and a start makes all anew`, async (t) => {
    const web = machine(t, mode);
    await web.must('start', 'web');
    process.kill(web.qemuPid(), 'SIGKILL');
    await web.must('start', 'web');
    assert.deepEqual(linkNames(), ['br0', ...TAPS]);
    process.kill(web.qemuPid(), 'SIGKILL');
    await web.must('stop', 'web');
    assert.deepEqual(web.traces(), []);
  });

  test(`${mode}: nothing is left when the third of four NICs has no bridge`, async (t) => {
    const web = machine(t, mode, NICS.with(2, 'NIC3=virtio-net-pci,bridge=br9,lock=on'));
    const { code, stderr } = await web.init('start', 'web');
    assert.equal(code, 1);
    assert.match(stderr, /Cannot attach tap "web\.3": bridge "br9" does not exist/);
    assert.match(stderr, /hint: .*qemu-netif bridge add br9/);
    assert.deepEqual(web.traces(), []);
  });

  test(`${mode}: after SIGKILL of qemu-init at any moment a start works, and nothing is left after the stop`, async (t) => {
    const web = machine(t, mode);
    for (let milliseconds = 100; milliseconds <= 600; milliseconds += 100) {
      await web.startAndKill(milliseconds);
      // What it had started goes on for a moment.
      while (isRunningHere('ip') || isRunningHere('nft')) await setImmediate();
      await web.must('start', 'web');
      assert.deepEqual(linkNames(), ['br0', ...TAPS]);
      await web.must('stop', '--force', 'web');
      assert.deepEqual(web.traces(), []);
    }
  });
}
