import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { get as httpGet } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { assertDocument } from '../support/documents.ts';
import { type JsonObject, lab, until } from '../support/lab.ts';
import { ask, bearer, feedOf, ours, type Question, type Served, serve, serveSocket } from '../support/web.ts';

const NOBODY = 65_534;
const NEEDS_ROOT = { skip: process.getuid?.() !== 0 && 'only root can make a folder of another user' };

/** Status of an upgrade, or what the socket is closed with when it is opened. */
function dial(served: Served, path: string, headers: Readonly<Record<string, string>>): Promise<string> {
  return new Promise((resolve) => {
    const socket = new WebSocket(`ws://127.0.0.1:${served.port}${path}`, { headers });
    socket.on('unexpected-response', (_, response) => resolve(String(response.statusCode)));
    socket.on('open', () => resolve('open'));
    socket.on('error', () => resolve('error'));
    socket.on('open', () => socket.close());
  });
}

test('strangers get nothing: other names, pages of other sites, wrong words, used tickets', async (t) => {
  const root = lab(t);
  root.add('web', 'VNC=unix\n');
  await root.ok('start', 'web');
  const served = await serve(root, '--allow-control');
  const host = `127.0.0.1:${served.port}`;
  const statusOf = async (options: Question): Promise<number> => (await ask(served, options)).status;

  assert.equal(await statusOf({ path: '/' }), 200);
  assert.equal(await statusOf({ path: '/api/info', headers: bearer(served) }), 200);
  assert.equal(await statusOf({ path: '/api/info' }), 401);
  assert.equal(await statusOf({ path: '/api/info', headers: { authorization: 'Bearer x' } }), 401);
  assert.equal(await statusOf({ path: '/metrics' }), 401);
  for (const name of ['evil.example', `evil.example:${served.port}`]) {
    assert.equal(await statusOf({ path: '/', headers: { host: name } }), 421, name);
  }
  const stop = { method: 'POST', path: '/api/machines/web/stop' };
  for (const origin of ['http://evil.example', 'null', `http://127.0.0.1:${served.port + 1}`]) {
    assert.equal(await statusOf({ ...stop, headers: { ...bearer(served), origin } }), 403, origin);
  }
  assert.equal(await statusOf({ ...stop, headers: bearer(served) }), 403, 'a form of another site says nothing');
  assert.equal(await statusOf({ ...stop, headers: { origin: `http://${host}` } }), 401);
  for (const path of [
    '/../../etc/passwd',
    '/novnc/../files.json',
    '/%2e%2e/%2e%2e/etc/passwd',
    '/files.json',
    '/api/machines/..%2f..%2fx/log',
  ]) {
    assert.ok([401, 404].includes(await statusOf({ path, headers: bearer(served) })), path);
  }
  assert.equal(await statusOf({ method: 'DELETE', path: '/', headers: ours(served) }), 405);
  assert.equal(await statusOf({ method: 'POST', path: '/api/machines/web/explode', headers: ours(served) }), 400);
  assert.equal(await statusOf({ method: 'POST', path: '/api/machines/nothing/stop', headers: ours(served) }), 404);

  const ticketOf = async (): Promise<string> => {
    const { text } = await ask(served, { method: 'POST', path: '/api/ticket/vnc/web', headers: ours(served) });
    return (JSON.parse(text) as { ticket: string }).ticket;
  };
  const origin = `http://${host}`;
  assert.equal(await dial(served, `/ws/vnc/web?ticket=${await ticketOf()}`, { origin: 'http://evil.example' }), '403');
  assert.equal(await dial(served, `/ws/vnc/web?ticket=${await ticketOf()}`, {}), '403');
  assert.equal(await dial(served, '/ws/vnc/web?ticket=x', { origin }), '401');
  const ticket = await ticketOf();
  assert.equal(await dial(served, `/ws/console/web?ticket=${ticket}`, { origin }), '401');
  const good = await ticketOf();
  assert.equal(await dial(served, `/ws/vnc/web?ticket=${good}`, { origin }), 'open');
  assert.equal(await dial(served, `/ws/vnc/web?ticket=${good}`, { origin }), '401', 'it was used');

  const page = await ask(served, { path: '/' });
  assert.equal(page.headers['set-cookie'], undefined, 'a cookie would go to every port of this host');
  assert.match(String(page.headers['content-security-policy']), /default-src 'none'/);
  assert.doesNotMatch(page.text, /<script(?! type="module" src=)/);
  assert.equal(await root.state('web'), 'running');
  served.running.child.kill('SIGTERM');
  await served.running.result;
  assert.equal(await root.state('web'), 'running', 'the server is not the machine');
  await root.ok('stop', 'web', '--force');
});

test('a page that may only look cannot do more, whatever it sends', async (t) => {
  const root = lab(t);
  root.add('web', 'VNC=unix\n');
  await root.ok('start', 'web');
  const served = await serve(root);
  for (const path of ['/api/machines/web/stop', '/api/machines/web/pause', '/api/ticket/console/web']) {
    assert.equal((await ask(served, { method: 'POST', path, headers: ours(served) })).status, 403, path);
  }
  const { text } = await ask(served, { method: 'POST', path: '/api/ticket/vnc/web', headers: ours(served) });
  const { ticket } = JSON.parse(text) as { ticket: string };
  // A viewer that speaks a version of RFB without a known end of its messages is cut off.
  const socket = new WebSocket(`ws://127.0.0.1:${served.port}/ws/vnc/web?ticket=${ticket}`, {
    origin: `http://127.0.0.1:${served.port}`,
  });
  const closed = new Promise<number>((resolve) => socket.on('close', resolve));
  socket.on('open', () => socket.send(Buffer.from('RFB 003.003\n')));
  assert.equal(await closed, 1008);
  // One that sends more at once than any viewer does is cut off as well.
  const again = await ask(served, { method: 'POST', path: '/api/ticket/vnc/web', headers: ours(served) });
  const large = new WebSocket(
    `ws://127.0.0.1:${served.port}/ws/vnc/web?ticket=${(JSON.parse(again.text) as { ticket: string }).ticket}`,
    { origin: `http://127.0.0.1:${served.port}` },
  );
  large.on('open', () => large.send(Buffer.alloc(2 * 1024 * 1024)));
  large.on('error', () => undefined);
  const code = await new Promise<number>((resolve) => large.on('close', resolve));
  // Why is lost when the rest of what it sends meets a closed connection.
  assert.ok(code === 1009 || code === 1006, `closed with ${code}`);
  assert.equal(await root.state('web'), 'running');
  served.running.child.kill('SIGTERM');
  await served.running.result;
  await root.ok('stop', 'web', '--force');
});

test('many connections, slow ones and broken ones do not end the server', async (t) => {
  const root = lab(t);
  root.add('web');
  const served = await serve(root);
  const sockets = Array.from({ length: 1000 }, () => {
    const socket = connect(served.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write('GET / HTTP/1.1\r\nHost: ');
    return socket;
  });
  await sleep(500);
  for (const socket of sockets) socket.destroy();
  for (const bad of ['\0\0\0\0', 'GET / HTTP/9.9\r\n\r\n', `GET / HTTP/1.1\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`]) {
    const socket = connect(served.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.end(bad);
    await new Promise((resolve) => socket.on('close', resolve).resume());
  }
  const untilServed = async (): Promise<void> => {
    for (;;) {
      const answer = await ask(served, { path: '/api/info', headers: bearer(served) }).catch(() => undefined);
      if (answer?.status === 200) return;
      await sleep(100);
    }
  };
  await untilServed();

  // Without the token: an address that is none, upgrades that are refused, and files that are never read to their end.
  const host = `Host: 127.0.0.1:${served.port}\r\n`;
  const upgrade = `${host}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`;
  const script = `GET /xterm/xterm.mjs HTTP/1.1\r\n${host}\r\n`.repeat(20);
  for (const request of [`GET // HTTP/1.1\r\n${upgrade}`, `GET /ws/vnc/x HTTP/1.1\r\n${upgrade}`, script]) {
    const strangers = Array.from({ length: 250 }, () => {
      const socket = connect({ port: served.port, host: '127.0.0.1', allowHalfOpen: true });
      socket.on('error', () => undefined);
      socket.pause().write(request);
      return socket;
    });
    await untilServed();
    for (const socket of strangers) socket.destroy();
  }

  // While its folders cannot be relied on there are no samples; the page goes on with them afterwards.
  let isBroken = false;
  for await (const { problem, machines } of feedOf(served)) {
    if (!isBroken) chmodSync(root.runDir, 0o777);
    if (isBroken && machines !== undefined) break;
    if (problem === undefined) continue;
    isBroken = true;
    chmodSync(root.runDir, 0o711);
  }
  served.running.child.kill('SIGTERM');
  await served.running.result;
});

test('a socket of the page is not made where others could put a link in its place', NEEDS_ROOT, async (t) => {
  const root = lab(t);
  const folder = join(root.dir, 'theirs');
  mkdirSync(folder);
  chownSync(folder, NOBODY, NOBODY);
  const result = await root.init('web', '--listen', `unix:${join(folder, 'web.sock')}`);
  assert.equal(result.code, 4, result.stderr);
  assert.match(result.stderr, /belongs to user "nobody"/);
});

test('the server ends when it is not used, and its link can be asked for until then', async (t) => {
  const root = lab(t);
  assert.equal((await root.init('web', '--link')).code, 7);
  const served = await serve(root, '--idle', '2');
  assert.equal((await root.ok('web', '--link', '--listen', `127.0.0.1:${served.port}`)).trim(), served.link);
  const stream = httpGet({ host: '127.0.0.1', port: served.port, path: '/api/feed', headers: bearer(served) });
  stream.on('error', () => undefined);
  await new Promise((resolve) => stream.on('response', (response) => response.once('data', resolve)));
  stream.destroy();
  assert.equal((await served.running.result).code, 0);
  for (const address of ['0.0.0.0:80', '192.168.1.1:80', 'evil.example:80', '127.0.0.1:99999', '[::]:80']) {
    assert.equal((await root.init('web', '--listen', address)).code, 2, address);
  }
});

const machineIn = (document: JsonObject, name: string): JsonObject | undefined =>
  (document['machines'] as JsonObject[] | undefined)?.find((each) => each['name'] === name);

test('a machine that dies is shown so with one of the next looks, whatever another one does', async (t) => {
  const root = lab(t);
  for (const name of ['web', 'frozen']) root.add(name);
  await root.ok('start', 'web', 'frozen');
  const served = await serve(root);
  const pidOf = async (name: string): Promise<number> => Number((await root.one('status', name))['pid']);
  const [web, frozen] = [await pidOf('web'), await pidOf('frozen')];
  process.kill(frozen, 'SIGSTOP');
  let looks = 0;
  let isKilled = false;
  for await (const document of feedOf(served)) {
    const { state } = machineIn(document, 'web') ?? {};
    if (isKilled) {
      looks += 1;
      if (state === 'dead') break;
    } else if (machineIn(document, 'frozen')?.['state'] === 'unresponsive') {
      process.kill(web, 'SIGKILL');
      isKilled = true;
    }
  }
  assert.ok(looks <= 10, `${looks} looks`);
  process.kill(frozen, 'SIGCONT');
  served.running.child.kill('SIGTERM');
  await served.running.result;
  await root.ok('stop', '--all', '--force');
});

test('a reverse proxy names its users on a socket alone, and only those who may control do', async (t) => {
  const root = lab(t);
  root.add('web');
  const header = ['--trust-header', 'X-Remote-User'];
  assert.equal((await root.init('web', '--listen', '127.0.0.1:0', ...header)).code, 2);
  assert.equal((await root.init('web', '--control-user', 'anna')).code, 2);
  assert.equal((await root.init('web', ...header, '--read-only', '--control-user', 'anna')).code, 2);
  const served = await serveSocket(root, ...header, '--control-user', 'carl,anna');
  const infoOf = async (headers: Record<string, string>): Promise<unknown> => {
    const { status, text } = await ask(served, { path: '/api/info', headers });
    return status === 200 ? (JSON.parse(text) as JsonObject)['mayAct'] : status;
  };
  const remote = (user: string): Record<string, string> => ({ 'x-remote-user': user });
  assert.deepEqual(
    [await infoOf(remote('anna')), await infoOf(remote('ben')), await infoOf({}), await infoOf(bearer(served))],
    [true, false, 401, false],
  );
  assert.equal(await infoOf(remote('ben, anna')), 401, 'what the browser has sent as well is nobody');
  assert.equal(await infoOf({ ...remote('anna'), 'sec-fetch-site': 'cross-site' }), 403);
  const origin = 'http://localhost:8780';
  const start = { method: 'POST', path: '/api/machines/web/start' };
  const statusOf = async (headers: Record<string, string>): Promise<number> =>
    (await ask(served, { ...start, headers })).status;
  assert.deepEqual(
    [
      await statusOf({ ...remote('ben'), origin }),
      await statusOf(remote('anna')),
      await statusOf({ ...remote('anna'), origin: 'http://evil.example' }),
      await statusOf({ ...remote('anna'), origin }),
    ],
    [403, 403, 403, 202],
  );
  await until('it runs', async () => (await root.state('web')) === 'running');
  assert.match(served.running.stderr(), /web: web: start, for anna/);
  served.running.child.kill('SIGTERM');
  await served.running.result;
  await root.ok('stop', 'web', '--force');
});

test('the link to a socket goes on after a restart, also of a killed server, until a new one is asked for', async (t) => {
  const root = lab(t);
  const first = await serveSocket(root);
  assert.match((await ask(first, { path: '/api/info' })).text, /open the link/);
  first.running.child.kill('SIGKILL');
  await first.running.result;
  const second = await serveSocket(root);
  assert.equal(second.token, first.token);
  assert.equal((await root.init('web', '--listen', `unix:${second.socketPath}`)).code, 1, 'it is in use');
  assert.equal((await root.ok('web', '--link')).trim(), second.link);

  // Where the unit serves, its page has another token, which the unit alone has.
  const [unit, folder] = [`${root.runDir}-web.sock`, `${root.runDir}-web`];
  const ofUnit = 'u'.repeat(32);
  writeFileSync(unit, '');
  assert.notEqual((await root.init('web', '--link')).code, 0);
  mkdirSync(folder);
  writeFileSync(join(folder, 'web.token'), ofUnit);
  for (const args of [[], ['--listen', `unix:${unit}`]])
    assert.match(await root.ok('web', '--link', ...args), new RegExp(`#token=${ofUnit}\n`));
  const own = ['--listen', `unix:${second.socketPath}`];
  assert.equal((await root.ok('web', '--link', ...own)).trim(), second.link);
  rmSync(folder, { recursive: true });
  rmSync(unit);
  second.running.child.kill('SIGTERM');
  await second.running.result;
  const third = await serveSocket(root, '--new-link');
  assert.notEqual(third.token, first.token);
  third.running.child.kill('SIGTERM');
  await third.running.result;

  // On a port another user could listen meanwhile, to whom a waiting page would send what it has.
  const port = await serve(root);
  port.running.child.kill('SIGTERM');
  await port.running.result;
  const again = await serve(root);
  assert.notEqual(again.token, port.token);
  again.running.child.kill('SIGTERM');
  await again.running.result;
});

test('a page makes, reverts to and deletes snapshots, and backs up to the folder of the file', async (t) => {
  const root = lab(t);
  const backups = join(root.dir, 'backups');
  mkdirSync(backups);
  root.add('web', `BACKUP=${backups}\n`);
  await root.ok('disk', 'convert', 'web', 'DSK1', 'qcow2');
  await root.ok('start', 'web');
  const served = await serve(root, '--allow-control');
  const begin = async (action: string, wish: object): Promise<void> => {
    const path = `/api/machines/web/${action}`;
    const { status, text } = await ask(served, {
      method: 'POST',
      path,
      headers: ours(served),
      body: JSON.stringify(wish),
    });
    assert.equal(status, 202, text);
  };
  const wishes: [string, object][] = [
    ['snapshot-create', { name: 'before', description: 'as it was' }],
    ['backup-create', {}],
    ['snapshot-revert', { name: 'before' }],
    ['snapshot-create', { name: '../../evil' }],
    ['snapshot-delete', { name: 'before' }],
    ['snapshot-delete', {}],
  ];
  const seen = new Set<string>();
  const ends: string[] = [];
  await begin(...(wishes[0] as [string, object]));
  for await (const document of feedOf(served, 'web')) {
    assertDocument([document], 'web-feed');
    const detail = document['detail'] as
      | { snapshots: { name: string; description: string }[]; backups: { points: unknown[] } }
      | undefined;
    for (const { name, description } of detail?.snapshots ?? []) seen.add(`${name}: ${description}`);
    if ((detail?.backups.points.length ?? 0) > 0) seen.add('a backup');
    const tasks = document['tasks'] as { action: string; state: string; text: string }[];
    if (tasks.length > ends.length && tasks.at(-1)?.state !== 'running') {
      const { action, state, text } = tasks.at(-1) ?? assert.fail();
      // What was made has to be seen before the next thing is done.
      if (state === 'done' && action.endsWith('-create') && seen.size < ends.length + 1) continue;
      ends.push(`${action} ${state}: ${text}`);
      const next = wishes[ends.length];
      if (!next) break;
      await begin(...next);
    }
  }
  assert.deepEqual([...seen], ['before: as it was', 'a backup']);
  const expected = [
    /^snapshot-create done: snapshot before of DSK1/,
    /^backup-create done: full backup/,
    /^snapshot-revert done: reverted to before \(running\)/,
    /^snapshot-create failed: .*is not a name for a snapshot/,
    /^snapshot-delete done/,
    /^snapshot-delete failed: "name" is missing/,
  ];
  for (const [at, pattern] of expected.entries()) assert.match(ends[at] ?? '', pattern);
  assert.equal(await root.state('web'), 'running');
  assert.deepEqual(await root.json('snapshot', 'list', 'web').then(([row]) => row?.['snapshots']), []);
  served.running.child.kill('SIGTERM');
  await served.running.result;
  await root.ok('stop', 'web', '--force');
});
