import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { get as httpGet } from 'node:http';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { WebSocket } from 'ws';
import { Fleet, resolvePaths } from '../../src/index.ts';
import { newToken } from '../../src/web/access.ts';
import { WebServer } from '../../src/web/server.ts';
import { readStaticFiles } from '../../src/web/static-files.ts';
import { lab, until } from '../support/lab.ts';
import { repoRoot } from '../support/repo.ts';
import { ask, bearer, ours, type Place } from '../support/web.ts';

/** Loads that are not counted: what is read and compiled at the first ones stays. */
const WARM_UP = 250;
const LOADS = { acting: 1000, looking: 300 };
const LONG_MS = 120_000;
/** Less than a connection with what belongs to it takes. */
const MOST_BYTES_PER_LOAD = 3000;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function heapBytes(): number {
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}

const descriptors = (): number => readdirSync('/proc/self/fd').length;

/** What a browser does with a page that is opened, looks at a screen, and is closed. */
async function load(served: Place, isPolite: boolean): Promise<void> {
  for (const path of ['/', '/app.js', '/api/info']) {
    const { status } = await ask(served, { path, headers: bearer(served) });
    assert.equal(status, 200);
  }
  const feed = httpGet({
    host: '127.0.0.1',
    port: served.port,
    path: '/api/feed',
    headers: bearer(served),
    agent: false,
  });
  await new Promise<void>((resolve, reject) => {
    feed.on('error', reject).on('response', (response) => {
      response.on('error', () => undefined).once('data', () => resolve());
    });
  });
  const { text } = await ask(served, { method: 'POST', path: '/api/ticket/vnc/web', headers: ours(served) });
  const { ticket } = JSON.parse(text) as { ticket: string };
  const socket = new WebSocket(`ws://127.0.0.1:${served.port}/ws/vnc/web?ticket=${ticket}`, {
    origin: `http://127.0.0.1:${served.port}`,
  });
  await new Promise<void>((resolve, reject) => {
    socket.on('error', reject).once('close', (code) => reject(new Error(`closed with ${code}`)));
    socket.once('message', () => resolve());
  });
  if (isPolite) socket.close();
  else socket.terminate();
  feed.on('error', () => undefined).destroy();
}

async function loads(served: Place, count: number): Promise<void> {
  let left = count;
  const one = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await load(served, left % 2 === 0);
    }
  };
  await Promise.all(Array.from({ length: 6 }, one));
}

for (const mayAct of [true, false]) {
  test(`many loads of ${mayAct ? 'the page' : 'a page that may only look'} leave no memory, no descriptor and no connection behind`, async (t) => {
    await assertNothingLeft(t, mayAct);
  });
}

async function assertNothingLeft(t: TestContext, mayAct: boolean): Promise<void> {
  const root = lab(t);
  root.add('web', 'VNC=unix\n');
  await root.ok('start', 'web');
  const paths = resolvePaths({ root: root.dir }, {}, 0, '/');
  const token = newToken();
  const web = new WebServer({
    fleet: () => new Fleet(paths),
    files: readStaticFiles(join(repoRoot, 'dist/web')),
    token,
    mayAct,
  });
  await new Promise<void>((resolve) => web.server.listen(0, '127.0.0.1', resolve));
  t.after(() => web.close());
  const address = web.server.address();
  const served: Place = { port: typeof address === 'object' && address !== null ? address.port : 0, token };
  await loads(served, WARM_UP);
  await until('the first pages are gone', () => web.idleMs > 0, LONG_MS);
  const before = { heap: heapBytes(), descriptors: descriptors() };
  const count = mayAct ? LOADS.acting : LOADS.looking;
  await loads(served, count);
  await until('nothing is open any more', () => web.idleMs > 0 && descriptors() <= before.descriptors, LONG_MS);
  const grown = heapBytes() - before.heap;
  assert.ok(grown < count * MOST_BYTES_PER_LOAD, `${grown} bytes are left`);
  await root.ok('stop', 'web', '--force');
}
