import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { debianGuest } from '../support/debian-guest.ts';
import { type JsonObject, lab } from '../support/lab.ts';

const call = promisify(execFile);

/** Longest boot of a guest under TCG on a busy host. */
const BOOT_SECONDS = '420';

test('one line makes a Debian that has the name, the key and the disk size that were asked for, and is cloned while it runs', async (t) => {
  const { guest, obstacle } = debianGuest();
  if (!guest) return t.skip(obstacle);
  const root = lab(t);
  const key = join(root.dir, 'key');
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
  const words = [
    ...['--kernel', guest.kernel, '--initrd', guest.initrd, '--append', guest.appendForCloudInit],
    '--ram',
    '512M',
  ];
  const light = ['VNC=off', 'VGA=none', 'BALLOON=off', 'KVM=off'];
  const seed = ['--ssh-key', `${key}.pub`, '--login', 'admin', '--hostname', 'web1'];
  const start = ['--start', '--wait', '--timeout', BOOT_SECONDS, '--json'];
  const run = await root.run(
    'qemu-init',
    ['create', 'web', '--image', guest.disk, '--linked', '--disk', '4G', ...words, ...light, ...seed, ...start],
    { timeoutMs: (Number(BOOT_SECONDS) + 20) * 1000 },
  );
  assert.equal(run.code, 0, `${run.stderr}${root.console('web').slice(-2000)}`);
  const [created] = JSON.parse(run.stdout) as JsonObject[];
  assert.match(String(created?.['up']), /^(?:ssh|console)$/);

  const inside = async (port: number): Promise<string[]> => {
    const options = ['StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'BatchMode=yes', 'ConnectTimeout=30'];
    const command = 'hostname; df --output=size -k / | tail -1; lsblk -dno LABEL,RO /dev/vdb';
    const args = [
      ...options.flatMap((option) => ['-o', option]),
      '-i',
      key,
      '-p',
      String(port),
      'admin@127.0.0.1',
      command,
    ];
    return (await call('ssh', args, { timeout: 60_000 })).stdout.trim().split('\n');
  };
  const ssh = created?.['ssh'];
  assert.ok(typeof ssh === 'object' && ssh !== null && 'port' in ssh);
  const web = await inside(Number(ssh.port));
  assert.equal(web[0], 'web1');
  assert.ok(Number(web[1]) > 3.6 * 1024 ** 2, `the file system has ${web[1]} KiB`);
  assert.match(web[2] ?? '', /^CIDATA +1$/);

  // The guest agent freezes it for the moment of the copy.
  const cloned = await root.one('clone', 'web', 'db');
  assert.deepEqual([cloned['wasRunning'], cloned['quiesced']], [true, true]);
  await root.ok('kill', 'web');
});
