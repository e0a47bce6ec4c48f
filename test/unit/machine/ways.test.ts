import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import type { QemuError } from '../../../src/base/errors.ts';
import { openAny, type Ports } from '../../../src/machine/control/ways.ts';
import { HmpSession } from '../../../src/qmp/hmp-session.ts';
import { runStateInText, runStateOf } from '../../../src/qmp/status-answer.ts';
import { type MachinePaths, machinePaths, resolvePaths } from '../../../src/system/paths.ts';
import { type Cleanup, tempDir } from '../../support/temp-root.ts';

/** A server on a free port of 127.0.0.1. */
async function serve(t: Cleanup, talk: (socket: Socket) => void, path?: string): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}));
    talk(socket);
  });
  server.listen(path === undefined ? { host: '127.0.0.1', port: 0 } : { path });
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** QEMU's human monitor: it echoes each line, prints an answer and its prompt. Undefined: it hangs up. */
function human(answers: Readonly<Record<string, string | undefined>>): (socket: Socket) => void {
  return (socket) => {
    socket.write("QEMU 7.2.0 monitor - type 'help' for more information\r\n(qemu) ");
    socket.on('data', (data) => {
      const command = data.toString().trimEnd();
      const answer = answers[command];
      socket.write(`${command[0]}\x1b[K\x1b[D${command}\x1b[K\r\n`);
      if (!Object.hasOwn(answers, command)) socket.write(`unknown command: '${command}'\r\n(qemu) `);
      else if (answer === undefined) socket.end();
      else socket.write(`${answer}(qemu) `);
    });
  };
}

const PAUSED = {
  'info status': 'VM status: paused (suspended)\r\n',
  'info pci': '  Bus 0\r\n',
  cont: '',
  quit: undefined,
};

function emptyMachine(t: Cleanup): MachinePaths {
  const files = machinePaths(resolvePaths({ root: tempDir(t) }, {}, 0, '/'), 'web');
  mkdirSync(files.qemuDir, { recursive: true });
  return files;
}

test('without an own socket, and with a control port that says nothing, the human monitor serves', async (t) => {
  const files = emptyMachine(t);
  const controlPort = await serve(t, () => {});
  const monitorPort = await serve(t, human(PAUSED));
  const ports: Ports = { monitorPort, controlPort, tls: false, uid: undefined, gid: undefined };
  const { value, way, passed } = await openAny(files, ports, { timeoutMs: 10_000 });
  assert.equal(way, `monitor port ${monitorPort} of 127.0.0.1`);
  assert.equal(passed[0], 'own socket: missing');
  const ask = (command: string): Promise<unknown> => value.executeRaw(command, undefined, { timeoutMs: 10_000 });
  assert.deepEqual(await ask('query-status'), { status: 'suspended' });
  assert.deepEqual(await ask('query-pci'), {});
  assert.deepEqual(await ask('cont'), {});
  await assert.rejects(ask('system_wakeup'), { code: 'QEMU_QMP_REFUSED' });
  // QEMU hangs up at that, which is its answer.
  assert.deepEqual(await ask('quit'), {});
  await value.close();
});

test('a human monitor that never stops, is silent or hangs up is an error in time', async (t) => {
  const flood = await serve(t, (socket) => socket.write('x'.repeat(100_000)));
  const mute = await serve(t, () => {});
  const shut = await serve(t, (socket) => socket.destroy());
  const codes: unknown[] = [];
  for (const port of [flood, mute, shut]) {
    const opening = HmpSession.open({ kind: 'tcp', host: '127.0.0.1', port }, { timeoutMs: 300, maxBytes: 64 * 1024 });
    codes.push(await opening.catch((error: QemuError) => error.code));
  }
  assert.deepEqual(codes, ['QEMU_QMP_PROTOCOL', 'QEMU_TIMEOUT', 'QEMU_QMP_CLOSED']);
});

test('a state is a word, whatever a QEMU answers', () => {
  assert.equal(runStateOf({ status: 'running', running: true }), 'running');
  assert.equal(runStateOf({ status: 'a-state-to-come' }), 'a-state-to-come');
  const wrong = [
    undefined,
    null,
    7,
    'running',
    [],
    {},
    { status: {} },
    { status: 7 },
    { status: '' },
    { status: 'a b' },
  ];
  for (const answer of [...wrong, { status: '\x1b[2J' }, { status: 'x'.repeat(41) }]) {
    assert.throws(() => runStateOf(answer), { code: 'QEMU_QMP_BAD_REPLY' });
  }
  assert.equal(runStateInText('VM status: running\n'), 'running');
  assert.equal(runStateInText('VM status: running (single step mode)\n'), 'running');
  assert.equal(runStateInText('VM status: paused\n'), 'paused');
  assert.equal(runStateInText('VM status: paused (io-error)\n'), 'io-error');
  assert.throws(() => runStateInText('VM status:\n'), { code: 'QEMU_QMP_BAD_REPLY' });
});
