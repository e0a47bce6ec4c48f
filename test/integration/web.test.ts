import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, readFileSync } from 'node:fs';
import { type ClientRequestArgs, get as httpGet, request as httpRequest, type IncomingMessage } from 'node:http';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Browser, chromium, type Page } from 'playwright-core';
import { WebSocket } from 'ws';
import type { RunningCli } from '../support/cli.ts';
import { freePort } from '../support/free-port.ts';
import { type Lab, lab } from '../support/lab.ts';

const NOBODY = 65_534;
const NEEDS_ROOT = { skip: process.getuid?.() !== 0 && 'only root can make a folder of another user' };

interface Served {
  readonly link: string;
  readonly port: number;
  readonly token: string;
  readonly running: RunningCli;
}

async function serve(root: Lab, ...options: readonly string[]): Promise<Served> {
  const port = await freePort();
  const running = root.spawn('qemu-init', ['web', '--listen', `127.0.0.1:${port}`, ...options]);
  await running.waitForOutput(/#token=[\w-]+\n/);
  const link = running.stdout().trim();
  return { link, port, token: link.split('token=')[1] ?? '', running };
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

function ask({ port }: Served, options: ClientRequestArgs): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port, agent: false, ...options }, (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          text: Buffer.concat(pieces).toString(),
          headers: response.headers,
        }),
      );
    });
    request.on('error', reject);
    request.end();
  });
}

const bearer = ({ token }: Served): Record<string, string> => ({ authorization: `Bearer ${token}` });
const ours = (served: Served): Record<string, string> => ({
  ...bearer(served),
  origin: `http://127.0.0.1:${served.port}`,
});

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
  const statusOf = async (options: ClientRequestArgs): Promise<number> => (await ask(served, options)).status;

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

  // While its folders cannot be relied on there are no samples.
  const feed = httpGet({ host: '127.0.0.1', port: served.port, path: '/api/feed', headers: bearer(served) });
  feed.on('error', () => undefined);
  const response = await new Promise<IncomingMessage>((resolve) => feed.on('response', resolve));
  response.on('error', () => undefined);
  const ended = new Promise((resolve) => response.on('close', resolve).resume());
  chmodSync(root.runDir, 0o777);
  await ended;
  chmodSync(root.runDir, 0o711);
  await untilServed();
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

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

async function open(browser: Browser, { link }: Served, width = 1280): Promise<Page> {
  const page = await browser.newPage({ viewport: { width, height: 800 } });
  await page.goto(link);
  await page.locator('.link.live').waitFor();
  return page;
}

test('in a browser: the list, a screen that takes keys, a stop after a question, a machine that dies', async (t) => {
  const root = lab(t);
  root.add('web', 'VNC=unix\nVGA=std\n');
  root.add('db');
  root.add('off');
  await root.ok('start', 'web', 'db');
  const served = await serve(root, '--allow-control');
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
  try {
    const page = await open(browser, served);
    const foreign: string[] = [];
    page.on('request', (request) => {
      if (!request.url().startsWith(`http://127.0.0.1:${served.port}/`) && !request.url().startsWith('data:'))
        foreign.push(request.url());
    });
    const broken: string[] = [];
    page.on('pageerror', (error) => broken.push(error.message));
    await page.locator('tr[data-name=web] .state.good').waitFor();
    assert.equal(await page.locator('tr[data-name=off] .state').textContent(), 'stopped');
    assert.ok(!page.url().includes('token'), 'the token is not left in the address');
    assert.deepEqual(await page.context().cookies(), []);

    await page.evaluate(axeSource);
    const faults = await page.evaluate(async () => {
      const { axe } = globalThis as unknown as {
        axe: { run(): Promise<{ violations: { id: string; impact: string }[] }> };
      };
      return (await axe.run()).violations
        .filter(({ impact }) => impact === 'serious' || impact === 'critical')
        .map(({ id }) => id);
    });
    assert.deepEqual(faults, []);

    await page.locator('a.name', { hasText: 'web' }).click();
    await page.getByRole('tab', { name: 'Screen' }).click();
    await page.getByText('connected: keys and pointer').waitFor();
    const canvas = page.locator('.screen canvas');
    for (;;) {
      const lit = await canvas.evaluate((element) => {
        const canvasElement = element as unknown as {
          width: number;
          height: number;
          getContext(kind: '2d'): {
            getImageData(x: number, y: number, w: number, h: number): { data: Uint8ClampedArray };
          };
        };
        const { data } = canvasElement.getContext('2d').getImageData(0, 0, canvasElement.width, canvasElement.height);
        let count = 0;
        for (let at = 0; at < data.length; at += 4) if ((data[at] ?? 0) > 100) count += 1;
        return count;
      });
      if (lit > 200) break;
      await sleep(200);
    }

    await page.goto(`http://127.0.0.1:${served.port}/#/`);
    const { pid } = await root.one('status', 'db');
    process.kill(Number(pid), 'SIGKILL');
    await page.locator('tr[data-name=db] .state.bad', { hasText: 'dead' }).waitFor();
    await page.locator('tr[data-name=web]').getByRole('button', { name: 'stop web' }).click();
    await page.getByRole('button', { name: 'Cancel' }).click();
    assert.equal(await root.state('web'), 'running');
    await page.locator('tr[data-name=off]').getByRole('button', { name: 'start off' }).click();
    await page.locator('tr[data-name=off] .state.good').waitFor();
    assert.equal(await root.state('off'), 'running');

    const narrow = await open(browser, served, 360);
    const isTooWide = await narrow.evaluate('document.documentElement.scrollWidth > innerWidth');
    assert.equal(isTooWide, false);
    assert.deepEqual([foreign, broken], [[], []]);

    served.running.child.kill('SIGTERM');
    await served.running.result;
    await page.locator('.link.lost').waitFor();
  } finally {
    await browser.close();
  }
  await root.ok('stop', '--all', '--force');
});
