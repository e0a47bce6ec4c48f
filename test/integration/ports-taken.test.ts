import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:net';
import { test } from 'node:test';
import { freePort, lab } from '../support/lab.ts';
import type { Cleanup } from '../support/temp-root.ts';

/** Listens on one address only. */
async function take(t: Cleanup, host: string, port: number): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  t.after(() => {
    server.close();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, ipv6Only: host === '::1', exclusive: true }, resolve);
  });
  return server;
}

for (const [family, host] of [
  ['IPv4', '127.0.0.1'],
  ['IPv6', '::1'],
] as const) {
  test(`ports that another program has on ${family} only are passed over: monitor, control and VNC`, async (t) => {
    const root = lab(t);
    const base = root.ownPorts();
    const display = base - 18_000;
    root.add('web', 'VNC=on\n');
    await take(t, host, base);
    await take(t, host, base + 101);
    await take(t, '127.0.0.1', 5900 + display + 2);
    const started = await root.one('start', 'web');
    assert.equal(started['slot'], 3);
    assert.equal(started['monitorPort'], base + 3);
    assert.match((await root.cmd('-c', 'info status', 'web')).stdout, /running/);
    await root.ok('kill', 'web');
  });
}

test('when no slot is left the machine starts all the same, with a warning, and its own socket serves', async (t) => {
  const root = lab(t);
  root.write('etc/qemu/monitor.conf', `MONPORT=${root.ownPorts()}\nVNCDISPLAY=59630\n`);
  root.add('web', 'VNC=on\n');
  for (let port = 65530; port <= 65535; port++) await take(t, '127.0.0.1', port);
  const started = await root.init('start', 'web', '--json');
  assert.equal(started.code, 0, started.stderr);
  assert.match(started.stderr, /no slot is free/);
  const [{ slot, monitorPort, controlPort, vnc }] = JSON.parse(started.stdout);
  assert.deepEqual([slot, monitorPort, controlPort, vnc], [null, null, null, null]);
  assert.equal(await root.state('web'), 'running');
  assert.match((await root.cmd('-c', 'info status', 'web')).stdout, /running/);
  await root.ok('wait', 'web', '--for', 'console=ready');
  assert.equal((await root.one('stop', 'web'))['rung'], 'powerdown');
  assert.deepEqual(root.leftovers(), []);
});

test('a port that is lost between being found free and being used means the next slot', async (t) => {
  const root = lab(t);
  const base = root.ownPorts();
  // QEMU takes it itself, after qemu-init has looked.
  root.add('web', `[custom]\n-chardev socket,id=thief,host=127.0.0.1,port=${base},server=on,wait=off\n`);
  const started = await root.init('start', 'web', '--json');
  assert.equal(started.code, 0, started.stderr);
  assert.match(started.stderr, /a port of slot 0 was taken: trying the next/);
  assert.equal(JSON.parse(started.stdout)[0].slot, 1);
  await root.ok('kill', 'web');
  assert.deepEqual(root.leftovers(), []);
});

test('a VNC display that the configuration fixes and another program has is an error at once', async (t) => {
  const root = lab(t);
  const port = await freePort();
  await take(t, '127.0.0.1', port);
  root.add('web', `VNC=127.0.0.1:${port - 5900}\n`);
  const failed = await root.init('start', 'web');
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /Failed to find an available port/);
  assert.doesNotMatch(failed.stderr, /trying the next/);
  assert.deepEqual(root.leftovers(), []);
});
