import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import type { Lab } from './lab.ts';
import type { Cleanup } from './temp-root.ts';

/** What a captured guest sends in place of an answer, with the id of the command; it may go on without end. */
export type Misbehaviour = (socket: Socket, id: number, command: string) => void;

/**
 * Puts an agent of ours in the place of the one in the guest: it agrees on where both sides are, as any agent, and
 * answers every command after that in its own way. QEMU says that it is there.
 */
export async function hostileAgent(t: Cleanup, root: Lab, name: string, misbehave: Misbehaviour): Promise<void> {
  await listenAt(t, root.file(name, 'qemu', 'qmp.sock'), (socket) => {
    socket.write('{"QMP":{"version":{"qemu":{"major":7,"minor":2,"micro":0},"package":""},"capabilities":[]}}\n');
    socket.on('data', (data) => {
      for (const [, command, id] of data.toString().matchAll(/"execute":"([^"]+)".*?"id":(\d+)/g)) {
        const answer = command === 'query-chardev' ? '[{"label":"agent0","filename":"x","frontend-open":true}]' : '{}';
        socket.write(`{"return":${answer},"id":${id}}\n`);
      }
    });
  });
  await listenAt(t, root.file(name, 'qemu', 'agent.sock'), (socket) => {
    socket.on('data', (data) => {
      for (const line of data.toString('latin1').split('\n')) {
        const [, id] = /"id":(\d+)\}?$/.exec(line) ?? [];
        const [, mark] = /"guest-sync-delimited".*?"arguments":\{"id":(\d+)/.exec(line) ?? [];
        if (mark !== undefined) {
          socket.write(Buffer.concat([Buffer.of(0xff), Buffer.from(`{"return":${mark},"id":${id}}\n`)]));
        } else if (id !== undefined) {
          const [, command = ''] = /"execute":"([^"]+)"/.exec(line) ?? [];
          misbehave(socket, Number(id), command);
        }
      }
    });
  });
}

async function listenAt(t: Cleanup, path: string, serve: (socket: Socket) => void): Promise<Server> {
  rmSync(path, { force: true });
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    serve(socket);
  });
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  server.listen(path);
  await once(server, 'listening');
  return server;
}
