import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { test } from 'node:test';
import { QmpClient } from '../../src/qmp/client.ts';
import { QmpListener } from '../../src/qmp/listener.ts';
import { makeFolder, spawnQemu, startMonitor } from './qmp-monitor.ts';

test('N1 the greeting of QEMU has the version that query-version answers', async (t) => {
  const client = await startMonitor(t).connect();
  const { version, capabilities } = client.greeting;
  assert.deepEqual(await client.executeRaw('query-version'), {
    qemu: { major: version.major, minor: version.minor, micro: version.micro },
    package: version.package,
  });
  assert.deepEqual(capabilities, ['oob']);
});

test('P4 the schema of QEMU comes in one line of more than 150 KB', async (t) => {
  const client = await startMonitor(t).connect();
  const schema = await client.execute('query-qmp-schema');
  assert.ok(JSON.stringify(schema).length > 150_000);
});

test('P7 integers beyond 2^53 go to QEMU and come back with every digit', async (t) => {
  const client = await startMonitor(t).connect();
  const properties = await client.executeRaw('device-list-properties', { typename: 'virtio-rng-pci' });
  assert.ok(Array.isArray(properties));
  const limit = properties.find(({ name }) => name === 'max-bytes');
  assert.equal(limit['default-value'], 9223372036854775807n);

  const long = 9007199254740993n;
  await client.executeRaw('object-add', { 'qom-type': 'iothread', id: 'io', 'poll-max-ns': long });
  assert.equal(await client.executeRaw('qom-get', { path: '/objects/io', property: 'poll-max-ns' }), long);
});

test('N5 QEMU refuses a second negotiation on one connection and wants one on the next', async (t) => {
  const { connect: next } = startMonitor(t);
  for (let round = 0; round < 2; round += 1) {
    const client = await next();
    await assert.rejects(client.executeRaw('qmp_capabilities'), { errorClass: 'CommandNotFound' });
    await client.close();
  }
});

test('N6 a second client is told to wait, one too many is refused, and the next is served when the first leaves', async (t) => {
  const { address, connect: next } = startMonitor(t);
  const first = await next();
  const busy = { code: 'QEMU_TIMEOUT', hint: /another client may hold this monitor/ };
  await Promise.all([
    assert.rejects(QmpClient.connect(address, { timeoutMs: 300 }), busy),
    assert.rejects(QmpClient.connect(address, { timeoutMs: 300 }), busy),
    assert.rejects(QmpClient.connect(address, { timeoutMs: 300 }), { code: 'QEMU_QMP_CONNECT', hint: /one client/ }),
  ]);
  const second = QmpClient.connect(address, { retry: true });
  await first.close();
  await (await second).close();
});

test('N8 a QEMU that connects to us gets the same session', async (t) => {
  const path = `${makeFolder(t)}/qmp`;
  await using listener = await QmpListener.listen({ kind: 'unix', path });
  spawnQemu(t, ['-machine', 'none', '-S', '-qmp', `unix:${path},server=off`]);
  await using client = await QmpClient.connect(listener.address);
  assert.equal((await client.execute('query-status')).status, 'prelaunch');
  await client.execute('quit');
});

test('N9 with wait=on QEMU makes no machine before a client is there', async (t) => {
  const path = `${makeFolder(t)}/qmp`;
  const child = spawnQemu(t, ['-machine', 'none', '-qmp', `unix:${path},server=on,wait=on`]);
  assert.equal(child.exitCode, null);
  await using client = await QmpClient.connect({ kind: 'unix', path }, { retry: true });
  // Seen only by a client that was there first: the machine runs from its start.
  const status = await client.execute('query-status');
  assert.equal(status.running, true);
});

test('a descriptor from spawn serves as a monitor', async (t) => {
  const args = ['-machine', 'none', '-S', '-chardev', 'socket,id=mon,fd=3', '-mon', 'chardev=mon,mode=control'];
  const child = spawnQemu(t, args, ['ignore', 'ignore', 'ignore', 'pipe']);
  const stream = child.stdio[3] as Duplex;
  await using client = await QmpClient.connect({ kind: 'stream', stream });
  assert.equal((await client.execute('query-status')).status, 'prelaunch');
});

test('C6 refusals of QEMU keep their class', async (t) => {
  const client = await startMonitor(t).connect();
  for (const [command, args, errorClass] of [
    ['no-such-command', {}, 'CommandNotFound'],
    ['query-status', { x: 1 }, 'GenericError'],
    ['device_del', { id: 'x' }, 'DeviceNotFound'],
    ['block-job-cancel', { device: 'x' }, 'DeviceNotActive'],
  ] as const) {
    await assert.rejects(client.executeRaw(command, args), { code: 'QEMU_QMP_REFUSED', errorClass, command });
  }
});

test('C7 and C8 200 commands at once are all answered, and an out-of-band command among them', async (t) => {
  const client = await startMonitor(t).connect();
  const calls = Array.from({ length: 200 }, () => client.execute('query-status'));
  const between = client.executeRaw('query-yank', undefined, { outOfBand: true });
  assert.ok(Array.isArray(await between));
  for (const { status } of await Promise.all(calls)) assert.equal(status, 'prelaunch');
  await assert.rejects(client.executeRaw('query-status', undefined, { outOfBand: true }), {
    code: 'QEMU_QMP_REFUSED',
    desc: /does not support OOB/,
  });
});

test('C11 a stopped QEMU costs the command its deadline, and the connection lives on when it continues', async (t) => {
  const { child, connect: next } = startMonitor(t);
  const client = await next();
  child.kill('SIGSTOP');
  await assert.rejects(client.execute('query-status', {}, { timeoutMs: 50 }), { code: 'QEMU_TIMEOUT' });
  child.kill('SIGCONT');
  assert.equal((await client.execute('query-name')).name, undefined);
});

test('N6 a stopped QEMU costs the connect its deadline', async (t) => {
  const { child, address, connect: next } = startMonitor(t);
  await (await next()).close();
  child.kill('SIGSTOP');
  await assert.rejects(QmpClient.connect(address, { timeoutMs: 50 }), { code: 'QEMU_TIMEOUT' });
});

test('C13 strings of any kind reach QEMU and come back', async (t) => {
  const client = await startMonitor(t).connect();
  const text = 'é 😀 \u0001 \u007f "\\ \n';
  await assert.rejects(client.executeRaw(text), { desc: `The command ${text} has not been found` });
});

test('E3 the events of a command come to a listener that was there before it', async (t) => {
  const client = await startMonitor(t).connect();
  using events = client.events(['RESUME', 'STOP', 'POWERDOWN', 'RESET']);
  await client.execute('cont');
  await client.execute('stop');
  await client.execute('system_powerdown');
  await client.execute('system_reset');
  for (const name of ['RESUME', 'STOP', 'POWERDOWN', 'RESET']) {
    const { value } = await events.next();
    assert.equal(value?.event, name);
    assert.ok(value?.time instanceof Date);
  }
});

test('E6 all monitors get all events', async (t) => {
  const path = `${makeFolder(t)}/other`;
  const { connect: next } = startMonitor(t, ['-machine', 'none', '-S', '-qmp', `unix:${path},server=on,wait=off`]);
  const one = await next();
  await using other = await QmpClient.connect({ kind: 'unix', path }, { retry: true });
  const seen = other.waitForEvent('RESUME');
  await one.execute('cont');
  assert.equal((await seen).event, 'RESUME');
});

test('L1 quit is done 10 times of 10, and SHUTDOWN names it', async (t) => {
  for (let round = 0; round < 10; round += 1) {
    const qemu = startMonitor(t);
    const client = await qemu.connect();
    const since = client.eventCount;
    assert.deepEqual(await client.execute('quit'), {});
    assert.equal((await client.closed).kind, 'quit');
    assert.equal(await qemu.exited, 0);
    const { data } = await client.waitForEvent('SHUTDOWN', undefined, { since });
    assert.deepEqual(data, { guest: false, reason: 'host-qmp-quit' });
  }
});

test('L3 and L5 a killed QEMU rejects what waits', async (t) => {
  const { child, connect: next } = startMonitor(t);
  const client = await next();
  child.kill('SIGSTOP');
  const calls = Array.from({ length: 20 }, () => client.execute('query-status'));
  child.kill('SIGKILL');
  for (const result of await Promise.allSettled(calls)) {
    assert.equal(result.status === 'rejected' && result.reason.code, 'QEMU_QMP_CLOSED');
  }
  assert.equal((await client.closed).kind, 'lost');
});

test('L4 close() leaves QEMU alone', async (t) => {
  const { child, connect: next } = startMonitor(t);
  await (await next()).close();
  const again = await next();
  assert.equal((await again.execute('query-status')).status, 'prelaunch');
  assert.equal(child.exitCode, null);
});

test('L8 SHUTDOWN says whether a signal or the guest ended the machine', async (t) => {
  const { child, connect: next } = startMonitor(t);
  const client = await next();
  const bySignal = client.waitForEvent('SHUTDOWN');
  child.kill('SIGTERM');
  assert.equal((await bySignal).data.reason, 'host-signal');

  const guest = await startMonitor(t, ['-machine', 'q35', '-m', '64', '-accel', 'tcg']).connect();
  using shutdown = guest.events('SHUTDOWN');
  const ended = shutdown.next();
  // The port of ACPI power management is there when the firmware has set it up; until then writing to it does nothing.
  const writing = (async () => {
    while (guest.state.kind === 'running') await guest.hmp('o /2 0x604 0x2000');
  })();
  writing.catch(() => {});
  assert.deepEqual((await ended).value?.data, { guest: true, reason: 'guest-shutdown' });
});

test('hmp() returns the text of the human monitor, errors too', async (t) => {
  const client = await startMonitor(t).connect();
  assert.equal(await client.hmp('info status'), 'VM status: paused (prelaunch)\n');
  assert.equal(await client.hmp('nope'), "unknown command: 'nope'\n");
  assert.equal(await client.hmp(''), '');
  assert.equal(await client.hmp('quit'), '');
});

test('a client that stops reading does not keep QEMU from serving another monitor', async (t) => {
  const folder = makeFolder(t);
  const path = `${folder}/other`;
  const { connect: next } = startMonitor(t, ['-machine', 'none', '-S', '-qmp', `unix:${path},server=on,wait=off`]);
  const client = await next();
  const lazy = connect({ path });
  // It ends with its QEMU.
  lazy.on('error', () => undefined);
  await once(lazy, 'readable');
  lazy.write('{"execute":"qmp_capabilities"}\n');
  const requests = '{"execute":"query-qmp-schema"}\n'.repeat(20);
  await new Promise((resolve) => lazy.write(requests, resolve));
  assert.equal((await client.execute('query-status')).status, 'prelaunch');
  lazy.destroy();
});
