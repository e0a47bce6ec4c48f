/** Our QMP client side by side with the one of the npm package node-qemu, on the same sockets. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { QMPClient } from 'node-qemu';
import { QmpClient } from '../../dist/lib/qmp/client.js';

const EVENT = 'BLOCK_JOB_READY';

/** How each of the two is opened, asked and closed. */
const CLIENTS = {
  ours: {
    // What the other one does not negotiate either.
    open: (path) => QmpClient.connect({ kind: 'unix', path }, { retry: true, outOfBand: false }),
    ask: (client) => client.execute('query-status'),
    events: async (client, count) => {
      const events = client.events(EVENT, { limit: count });
      const answered = client.execute('query-name');
      for (let seen = 0; seen < count; seen++) await events.next();
      await answered;
    },
  },
  theirs: {
    open: async (socketPath) => {
      const client = new QMPClient({ socketPath });
      await client.connect();
      return client;
    },
    ask: (client) => client.queryStatus(),
    events: async (client, count) => {
      let seen = 0;
      const all = new Promise((resolve) => {
        client.on(EVENT, () => {
          seen += 1;
          if (seen === count) resolve();
        });
      });
      await client.execute('query-name');
      await all;
    },
  },
};

/** Milliseconds for `count` times connect, one command, close. */
export async function timeCycles(who, path, count) {
  const { open, ask } = CLIENTS[who];
  const start = performance.now();
  for (let at = 0; at < count; at++) {
    const client = await open(path);
    await ask(client);
    await client.close();
  }
  return performance.now() - start;
}

/** Milliseconds for `count` commands, one after the other on one connection. */
export async function timeCommands(who, path, count) {
  const { open, ask } = CLIENTS[who];
  const client = await open(path);
  const start = performance.now();
  for (let at = 0; at < count; at++) await ask(client);
  const elapsed = performance.now() - start;
  await client.close();
  return elapsed;
}

/** Milliseconds until a listener has `count` events that come as fast as they can. */
export async function timeEvents(who, path, count) {
  const { open, events } = CLIENTS[who];
  const client = await open(path);
  const start = performance.now();
  await events(client, count);
  const elapsed = performance.now() - start;
  await client.close();
  return elapsed;
}

/** A process that sends `count` events after each `query-name`: no QEMU sends that many. */
export async function startFlood(folder, count) {
  const path = join(folder, 'flood.sock');
  const child = fork(join(import.meta.dirname, 'flood.mjs'), [path, String(count)]);
  await once(child, 'message');
  return { path, end: () => child.kill() };
}
