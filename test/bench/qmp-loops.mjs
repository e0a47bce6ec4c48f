/** QMP commands a second: our client against the least that a program can do with a socket. */
import { createConnection } from 'node:net';
import { QmpClient } from '../../dist/lib/qmp/client.js';

const COMMAND = 'query-name';

/** Milliseconds for `count` round trips by a bare socket, one after the other. */
export async function bareLoop(path, count) {
  const { socket, reply } = await openBare(path);
  const start = performance.now();
  for (let i = 0; i < count; i++) {
    const answered = reply();
    socket.write(`{"execute":"${COMMAND}","id":${i}}\n`);
    await answered;
  }
  const elapsed = performance.now() - start;
  socket.destroy();
  return elapsed;
}

/** Milliseconds for `count` round trips by our client, one after the other. */
export async function clientLoop(path, count) {
  const client = await QmpClient.connect({ kind: 'unix', path }, { retry: true });
  const start = performance.now();
  for (let i = 0; i < count; i++) await client.executeRaw(COMMAND);
  const elapsed = performance.now() - start;
  await client.close();
  return elapsed;
}

/** Milliseconds for `count` commands that a bare socket sends all before the first answer. */
export async function barePipeline(path, count) {
  const { socket, reply } = await openBare(path);
  const start = performance.now();
  const answered = Array.from({ length: count }, reply);
  for (let i = 0; i < count; i++) socket.write(`{"execute":"${COMMAND}","id":${i}}\n`);
  await Promise.all(answered);
  const elapsed = performance.now() - start;
  socket.destroy();
  return elapsed;
}

/** Milliseconds for `count` commands that our client is given all before the first answer. */
export async function clientPipeline(path, count) {
  const client = await QmpClient.connect({ kind: 'unix', path }, { retry: true });
  const start = performance.now();
  await Promise.all(Array.from({ length: count }, () => client.executeRaw(COMMAND)));
  const elapsed = performance.now() - start;
  await client.close();
  return elapsed;
}

/** QEMU serves one client of a socket at a time: while the one before is not gone, the greeting has to wait. */
async function openBare(path) {
  const socket = createConnection(path);
  let rest = '';
  const waiting = [];
  const reply = () =>
    new Promise((resolve) => {
      waiting.push(resolve);
    });
  const greeting = reply();
  socket.setEncoding('utf8').on('data', (text) => {
    rest += text;
    while (rest.includes('\n')) {
      const end = rest.indexOf('\n');
      const message = JSON.parse(rest.slice(0, end));
      rest = rest.slice(end + 1);
      if (!message.event) waiting.shift()(message);
    }
  });
  await greeting;
  const negotiated = reply();
  // As our client does: QEMU answers more commands a second with it.
  socket.write('{"execute":"qmp_capabilities","arguments":{"enable":["oob"]}}\n');
  await negotiated;
  return { socket, reply };
}
