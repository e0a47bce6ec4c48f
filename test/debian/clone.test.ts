import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { serveDhcpByClient } from '../network/dhcp-by-client.ts';
import { enterOwnNamespace } from '../network/own-namespace.ts';
import { makeBridge, sh } from '../network/shell.ts';
import { debianGuest } from '../support/debian-guest.ts';
import { type Lab, lab, until } from '../support/lab.ts';

// What it is made of is downloaded, which is not possible in there.
const { guest, obstacle } = debianGuest();
await enterOwnNamespace();

/** Longest boot of a guest under TCG on a busy host. */
const BOOT_SECONDS = 420;

/** By what others tell a guest from another, and it knows itself. */
const MARKS = {
  machineId: 'cat /etc/machine-id',
  hostname: 'hostname',
  hostKey: 'cat /etc/ssh/ssh_host_ed25519_key.pub',
  instanceId: 'cat /var/lib/cloud/data/instance-id',
  mac: 'cat /sys/class/net/e*/address',
  uuid: 'cat /sys/class/dmi/id/product_uuid',
  address: 'ip -o -4 address show dev $(basename /sys/class/net/e*) | tr -s " " | cut -d " " -f 4',
} as const;

type Marks = Readonly<Record<keyof typeof MARKS, string>>;

async function inside(root: Lab, name: string, command: string): Promise<string> {
  const run = await root.run('qemu-init', ['agent', name, 'exec', '--', 'sh', '-c', command], { timeoutMs: 60_000 });
  assert.equal(run.code, 0, `${command}: ${run.stderr}`);
  return run.stdout.trim();
}

async function marksOf(root: Lab, name: string): Promise<Marks> {
  const entries: [string, string][] = [];
  for (const [mark, command] of Object.entries(MARKS)) entries.push([mark, await inside(root, name, command)]);
  return Object.fromEntries(entries) as Marks;
}

/** Starts a machine, and waits until its guest has an address and has done what cloud-init is to do. */
async function boot(root: Lab, name: string): Promise<void> {
  await root.ok('start', name);
  const up = ['wait', name, '--for', 'agent', '--timeout', String(BOOT_SECONDS)];
  const run = await root.run('qemu-init', up, { timeoutMs: (BOOT_SECONDS + 20) * 1000 });
  assert.equal(run.code, 0, `${run.stderr}${root.console(name).slice(-2000)}`);
  const isDone = async (): Promise<boolean> => /done|error/.test(await inside(root, name, 'cloud-init status || true'));
  await until(`cloud-init of "${name}" is done`, isDone, BOOT_SECONDS * 1000);
}

/** The Debian guest with systemd-networkd, as Debian's cloud images have it: its DHCP identifier is made of the machine-id. */
function networkdImage(root: Lab, image: string): string {
  const raw = join(root.dir, 'debian.raw');
  execFileSync('qemu-img', ['convert', '-O', 'raw', image, raw]);
  const renderers = root.write('renderers.cfg', 'system_info: {network: {renderers: [networkd]}}\n');
  const [system, units] = ['/etc/systemd/system', '/lib/systemd/system'];
  const steps = [
    `write ${renderers} /etc/cloud/cloud.cfg.d/91_networkd.cfg`,
    `symlink ${system}/networking.service /dev/null`,
    `symlink ${system}/multi-user.target.wants/systemd-networkd.service ${units}/systemd-networkd.service`,
    `symlink ${system}/sockets.target.wants/systemd-networkd.socket ${units}/systemd-networkd.socket`,
  ];
  for (const step of steps) execFileSync('debugfs', ['-w', '-R', step, raw], { stdio: 'pipe' });
  return raw;
}

test('the clone of a Debian that cloud-init set up is another guest, and the first one stays who it was', async (t) => {
  if (!guest) return t.skip(obstacle);
  const root = lab(t);
  chmodSync(root.dir, 0o755);
  makeBridge('br0');
  sh('ip', 'address', 'add', '192.0.2.1/24', 'dev', 'br0');
  sh('ip', 'route', 'add', '255.255.255.255', 'dev', 'br0');
  const leases = serveDhcpByClient(t, '192.0.2');
  const key = join(root.dir, 'key');
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
  const run = await root.run(
    'qemu-init',
    [
      ...['create', 'web', '--image', networkdImage(root, guest.disk), '--linked', '--ram', '512M', '--bridge', 'br0'],
      ...['--kernel', guest.kernel, '--initrd', guest.initrd, '--append', guest.appendForCloudInit],
      ...['VNC=off', 'VGA=none', 'BALLOON=off', 'KVM=off', 'NETIF=managed'],
      ...['--ssh-key', `${key}.pub`, '--login', 'admin', '--hostname', 'web1'],
      ...['--start', '--wait', '--timeout', String(BOOT_SECONDS)],
    ],
    { timeoutMs: (BOOT_SECONDS + 60) * 1000 },
  );
  assert.equal(run.code, 0, `${run.stderr}${root.console('web').slice(-2000)}`);
  const first = await marksOf(root, 'web');
  assert.equal(first.hostname, 'web1');
  assert.deepEqual([...leases.values()], [first.address.split('/')[0]]);

  const cloned = await root.one('clone', 'web', 'db');
  assert.deepEqual([cloned['wasRunning'], cloned['quiesced']], [true, true]);
  await boot(root, 'db');
  const second = await marksOf(root, 'db');
  assert.equal(second.hostname, 'db');
  for (const mark of Object.keys(MARKS) as (keyof Marks)[]) {
    assert.notEqual(second[mark], '', mark);
    assert.notEqual(second[mark], first[mark], `both have the same ${mark}`);
  }
  assert.equal(second.uuid, settingOf(root, 'db', 'UUID'));
  assert.match(second.address, /^192\.0\.2\.\d+\/24$/);
  assert.deepEqual(await marksOf(root, 'web'), first, 'the first one has not changed');
  for (const [name, { address }] of Object.entries({ web1: first, db: second })) {
    assert.equal(overSsh(key, address.split('/')[0] ?? '', 'hostname'), name);
  }

  // Also when it boots again.
  await root.ok('stop', 'web');
  await boot(root, 'web');
  assert.deepEqual(await marksOf(root, 'web'), first);
  assert.deepEqual(await marksOf(root, 'db'), second);
  await root.ok('kill', 'web', 'db');
});

function settingOf(root: Lab, name: string, key: string): string | undefined {
  const text = readFileSync(join(root.etcDir, `${name}-qemu.cfg`), 'utf8');
  return new RegExp(`^${key}="?(.*?)"?$`, 'm').exec(text)?.[1];
}

function overSsh(key: string, address: string, command: string): string {
  const options = ['StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'BatchMode=yes', 'ConnectTimeout=30'];
  const words = [...options.flatMap((option) => ['-o', option]), '-i', key, `admin@${address}`, command];
  return execFileSync('ssh', words, { encoding: 'utf8', timeout: 60_000, stdio: ['ignore', 'pipe', 'pipe'] }).trim();
}
