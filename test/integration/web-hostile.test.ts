import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium } from 'playwright-core';
import { WebSocket } from 'ws';
import { type Lab, lab, until } from '../support/lab.ts';
import type { Cleanup } from '../support/temp-root.ts';
import { ask, bearer, ours, type Served, serve } from '../support/web.ts';

const MIB = 1024 ** 2;
/** What a server may grow by while much more than that is sent to it. */
const MOST_GROWTH = 96 * MIB;

const memoryOf = (served: Served): number =>
  1024 * Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${served.running.child.pid}/status`, 'utf8'))?.[1]);

/** In place of a socket of a QEMU that was captured: each connection is answered by `answer`. */
async function impersonate(t: Cleanup, path: string, answer: (socket: Socket) => void): Promise<void> {
  rmSync(path);
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    t.after(() => void socket.destroy());
    answer(socket);
  });
  server.listen(path);
  await once(server, 'listening');
  t.after(() => void server.close());
}

/** Sends without end, as fast as it is read. Counts what the other side took. */
function flood(socket: Socket, piece: Buffer, count: { bytes: number }): void {
  const send = (): void => {
    while (!socket.destroyed) {
      if (!socket.write(piece, () => (count.bytes += piece.length))) break;
    }
  };
  socket.on('drain', send);
  send();
}

async function end(root: Lab, served: Served): Promise<void> {
  served.running.child.kill('SIGTERM');
  assert.equal((await served.running.result).code, 0);
  await root.ok('kill', '--all');
}

test('a screen without end waits for a viewer that does not read, and costs the server no memory', async (t) => {
  const root = lab(t);
  root.add('web', 'VNC=unix\n');
  await root.ok('start', 'web');
  const count = { bytes: 0 };
  await impersonate(t, root.file('web', 'qemu', 'vnc.sock'), (socket) => flood(socket, Buffer.alloc(MIB, 7), count));
  const served = await serve(root);
  assert.equal((await ask(served, { path: '/api/info', headers: bearer(served) })).status, 200);
  const before = memoryOf(served);
  const { text } = await ask(served, { method: 'POST', path: '/api/ticket/vnc/web', headers: ours(served) });
  const { ticket } = JSON.parse(text) as { ticket: string };
  const viewer = new WebSocket(`ws://127.0.0.1:${served.port}/ws/vnc/web?ticket=${ticket}`, {
    origin: `http://127.0.0.1:${served.port}`,
  });
  t.after(() => viewer.terminate());
  await once(viewer, 'open');
  viewer.pause();
  let taken = -1;
  await until('nothing more is taken', async () => {
    const last = taken;
    await sleep(1000);
    taken = count.bytes;
    return taken > 0 && taken === last;
  });
  assert.ok(memoryOf(served) - before < MOST_GROWTH, `${memoryOf(served) - before} bytes for ${taken}`);
  // One that reads gets all of it, and the server keeps none.
  viewer.resume();
  await until('much more came through', () => count.bytes > taken + 300 * MIB, 60_000);
  assert.ok(memoryOf(served) - before < MOST_GROWTH, `${memoryOf(served) - before} bytes after it`);
  viewer.terminate();
  assert.equal((await ask(served, { path: '/api/info', headers: bearer(served) })).status, 200);
  await end(root, served);
});

test('a monitor that sends a line without end is one that does not answer', async (t) => {
  const root = lab(t);
  for (const name of ['web', 'other']) root.add(name);
  await root.ok('start', 'web', 'other');
  const count = { bytes: 0 };
  await impersonate(t, root.file('web', 'qemu', 'qmp.sock'), (socket) => flood(socket, Buffer.alloc(MIB, 'x'), count));
  const served = await serve(root);
  const metrics = async (): Promise<string> => (await ask(served, { path: '/metrics', headers: bearer(served) })).text;
  await metrics();
  const before = memoryOf(served);
  for (let round = 0; round < 5; round++) {
    assert.match(await metrics(), /qemu_machine_state\{machine="other",state="running"\} 1/);
  }
  assert.ok(count.bytes > 0);
  assert.ok(memoryOf(served) - before < MOST_GROWTH, `${memoryOf(served) - before} bytes for ${count.bytes}`);
  await end(root, served);
});

/** RFB 3.8 (RFC 6143, 7): no password, and a screen of the largest size with a name of the largest length that comes. */
function giantScreen(nameBytes: number): Buffer {
  const init = Buffer.alloc(24);
  init.writeUInt16BE(0xffff, 0);
  init.writeUInt16BE(0xffff, 2);
  Buffer.from([32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0]).copy(init, 4);
  init.writeUInt32BE(nameBytes, 20);
  // FramebufferUpdate with one raw rectangle of all of it.
  const update = Buffer.from([0, 0, 0, 1, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]);
  return Buffer.concat([
    Buffer.from([1, 1]),
    Buffer.alloc(4),
    init,
    Buffer.alloc(Math.min(nameBytes, 100), 0x41),
    update,
  ]);
}

test('a page goes on when a screen is larger than any, has a name without end, or is not one', async (t) => {
  const root = lab(t);
  const screens: Record<string, Buffer> = {
    giant: giantScreen(4),
    named: giantScreen(0xffffffff),
    noise: Buffer.alloc(MIB, 0xf7),
  };
  for (const name of Object.keys(screens)) root.add(name, 'VNC=unix\n');
  await root.ok('start', ...Object.keys(screens));
  for (const [name, bytes] of Object.entries(screens)) {
    await impersonate(t, root.file(name, 'qemu', 'vnc.sock'), (socket) => {
      socket.write('RFB 003.008\n');
      socket.once('data', () => flood(socket, Buffer.concat([bytes, Buffer.alloc(64 * 1024)]), { bytes: 0 }));
    });
  }
  const served = await serve(root, '--allow-control');
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
  t.after(async () => browser.close());
  const page = await browser.newPage();
  await page.goto(served.link);
  for (const name of Object.keys(screens)) {
    await page.getByRole('link', { name, exact: true }).click();
    await page.getByRole('tab', { name: 'Screen' }).click();
    await page
      .getByText(/Connected|Not connected|is not/)
      .first()
      .waitFor();
    await page.getByRole('tab', { name: 'Overview' }).click();
    await page.locator('.plot').first().waitFor();
    await page.getByRole('link', { name: 'Machines', exact: true }).click();
    await page.locator(`tr[data-name=${name}]`).waitFor();
  }
  assert.equal(await page.locator('.link.live').count(), 1);
  await browser.close();
  await end(root, served);
});
