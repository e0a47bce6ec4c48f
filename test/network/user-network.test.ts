import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { join } from 'node:path';
import { test } from 'node:test';
import { repoRoot } from '../support/repo.ts';
import { fetchPatiently } from './fetch.ts';
import { linuxHost } from './machines.ts';
import { enterOwnNamespace } from './own-namespace.ts';
import { linkNames, sh } from './shell.ts';

await enterOwnNamespace();

test('hostfwd reaches servers in the guest, started by an ordinary user without any rights', async (t) => {
  const host = linuxHost(t);
  host.register('web', ['NIC1=virtio-net-pci,net=user,hostfwd=tcp:127.0.0.1:8080-:80,hostfwd=udp:127.0.0.1:5353-:53']);
  sh('chown', '-R', '65534:65534', host.dir);
  const drop = ['--reuid=65534', '--regid=65534', '--clear-groups', '--inh-caps=-all', '--no-new-privs'];
  const start = [join(repoRoot, 'bin/qemu-init'), 'start', 'web', '--root', host.dir];
  const { status, stderr } = spawnSync('setpriv', [...drop, process.execPath, ...start], {
    encoding: 'utf8',
    cwd: '/',
  });
  assert.equal(status, 0, stderr);
  assert.deepEqual(linkNames(), []);

  const [web] = await host.open('web');
  assert.ok(web);
  await web.sh('mkdir /www; echo hello >/www/index.html; httpd -h /www');
  assert.equal(await fetchPatiently('127.0.0.1', 8080), 'hello\n');
  // QEMU's own router speaks IPv6 too, and advertises a prefix.
  await web.sh('for i in $(seq 100); do ip -6 address show eth0 | grep "scope global" && break; sleep 0.1; done');
  await web.sh('for i in $(seq 10); do ping -c 1 -W 1 fec0::2 && break; done');
  const socket = createSocket('udp4');
  t.after(() => socket.close());
  const sending = setInterval(() => socket.send('datagram', 5353, '127.0.0.1'), 200);
  t.after(() => clearInterval(sending));
  // Nobody serves that port, but the kernel counts what comes to it: the second line of Udp, "NoPorts".
  await web.sh("until [ $(awk '/^Udp:/ { n = $3 } END { print n }' /proc/net/snmp) -gt 0 ]; do sleep 0.2; done");
});
