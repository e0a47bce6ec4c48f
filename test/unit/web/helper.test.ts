import assert from 'node:assert/strict';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { QemuError } from '../../../src/base/errors.ts';
import type { MachineManager } from '../../../src/fleet/machine-manager.ts';
import { actThrough, consoleThrough } from '../../../src/web/helper.ts';
import { nextLine, readHelperAnswer, readHelperRequest } from '../../../src/web/helper-line.ts';
import { serveHelper } from '../../../src/web/serve-helper.ts';
import type { TaskContext } from '../../../src/web/tasks.ts';
import { tempRoot } from '../../support/temp-root.ts';

const GONE = 'QEMU_COMMAND_FAILED';

function contextOf(signal = new AbortController().signal): TaskContext & { readonly seen: unknown[] } {
  const seen: unknown[] = [];
  return { signal, seen, onProgress: (each) => void seen.push(each), onStep: (each) => void seen.push(each) };
}

async function listening(t: { after(body: () => unknown): void }, answer: (socket: Socket) => void): Promise<string> {
  const path = join(tempRoot(t).dir, 's');
  const server: Server = createServer({ allowHalfOpen: true }, answer);
  await new Promise<void>((resolve) => server.listen(path, resolve));
  t.after(() => server.close());
  return path;
}

test('a line is one line wherever it is cut, and what comes after it stays in the stream', async () => {
  const stream = new PassThrough();
  stream.write('{"a"');
  const first = nextLine(stream);
  stream.write(':1}\n{"b":2}\nrest');
  assert.equal(await first, '{"a":1}');
  assert.equal(await nextLine(stream), '{"b":2}');
  assert.equal(stream.read()?.toString(), 'rest');
  stream.end();
  assert.equal(await nextLine(stream), undefined);
  assert.equal(await nextLine(stream), undefined);
});

test('a line without an end is given up, and an error of the stream is told', async () => {
  const long = new PassThrough({ highWaterMark: 1024 * 1024 });
  long.write('x'.repeat(300 * 1024));
  assert.equal(await nextLine(long), undefined);
  const broken = new PassThrough();
  const line = nextLine(broken);
  broken.destroy(new Error('cut'));
  await assert.rejects(line, /cut/);
});

test('only the two requests are requests', () => {
  const act = { do: 'act', machine: 'web', action: 'start', wish: { full: true } };
  assert.deepEqual(readHelperRequest(JSON.stringify(act)), act);
  assert.deepEqual(readHelperRequest('{"do":"console","machine":"web"}'), { do: 'console', machine: 'web' });
  for (const line of [
    '',
    'x',
    '[]',
    '{"do":"act","machine":"web"}',
    '{"do":"x","machine":"web"}',
    '{"do":"console"}',
    undefined,
  ])
    assert.equal(readHelperRequest(line), undefined, line);
  assert.deepEqual(readHelperAnswer('7'), {});
});

test('progress, steps and the result come through the helper, and its error is thrown', async (t) => {
  const socket = await listening(t, (peer) => {
    peer.once('data', (data) => {
      const { action } = JSON.parse(data.toString());
      if (action === 'stop')
        peer.end('{"progress":{"done":1}}\n{"step":{"at":0}}\n{"result":{"text":"ok","rung":"quit"}}\n');
      else if (action === 'start') peer.end('{"error":{"code":"QEMU_LOCKED","message":"no","hint":"wait"}}\n');
      else peer.end();
    });
  });
  const context = contextOf();
  assert.deepEqual(await actThrough(socket, 'web', 'stop', context, {}), { text: 'ok', rung: 'quit' });
  assert.deepEqual(context.seen, [{ done: 1 }, { at: 0 }]);
  await assert.rejects(actThrough(socket, 'web', 'start', contextOf(), {}), { code: 'QEMU_LOCKED', hint: 'wait' });
  await assert.rejects(actThrough(socket, 'web', 'pause', contextOf(), {}), { code: GONE });
  await assert.rejects(actThrough(`${socket}.none`, 'web', 'pause', contextOf(), {}), QemuError);
});

test('a cancelled action is waited for until the helper has undone it', async (t) => {
  const socket = await listening(t, (peer) => {
    peer.resume().once('end', () => peer.end('{"error":{"code":"QEMU_ABORTED","message":"Cancelled"}}\n'));
  });
  for (const signal of [AbortSignal.abort(), AbortSignal.timeout(20)]) {
    await assert.rejects(actThrough(socket, 'web', 'stop', contextOf(signal), {}), { code: 'QEMU_ABORTED' });
  }
});

test('a console is a stream once the helper says so', async (t) => {
  const socket = await listening(t, (peer) => {
    peer.once('data', (data) => {
      const { machine } = JSON.parse(data.toString());
      if (machine === 'web') peer.write('{"open":true}\nlogin: ');
      else peer.end(machine === 'db' ? '{"error":{"code":"QEMU_LOCKED","message":"taken"}}\n' : '{}\n');
    });
  });
  const stream = await consoleThrough(socket, 'web');
  assert.equal(String(stream.read() ?? (await new Promise((resolve) => stream.once('data', resolve)))), 'login: ');
  stream.destroy();
  await assert.rejects(consoleThrough(socket, 'db'), { code: 'QEMU_LOCKED', message: 'taken' });
  await assert.rejects(consoleThrough(socket, 'other'), { code: GONE });
});

test('the helper does what may be done by a page, to machines by their names, and nothing else', async () => {
  const started: unknown[] = [];
  const fleet = {
    get: (longName: string) => ({ longName }),
    start: (target: unknown) => {
      started.push(target);
      return Promise.resolve({ outcome: 'started', seconds: 1 });
    },
  };
  const told: string[] = [];
  const answersTo = async (line: string, signal = new AbortController().signal): Promise<string> => {
    const [input, output] = [new PassThrough(), new PassThrough()];
    input.write(`${line}\n`);
    // @ts-expect-error: what it has of a fleet is all that is used.
    const manager: MachineManager = fleet;
    await serveHelper(manager, { input, output, signal }, (text) => void told.push(text));
    return String(output.read());
  };
  assert.equal(
    await answersTo('{"do":"act","machine":"web","action":"start"}'),
    '{"result":{"text":"started in 1 s"}}\n',
  );
  assert.deepEqual([started, told], [[{ longName: 'web' }], ['web: start']]);
  for (const line of [
    'x',
    '{"do":"act","machine":"/tmp/x-qemu.cfg","action":"start"}',
    '{"do":"act","machine":"web","action":"explode"}',
    '{"do":"console","machine":"../web"}',
  ])
    assert.match(await answersTo(line), /^\{"error":\{"code":"QEMU_USAGE"/, line);
  assert.equal(started.length, 1);
  assert.match(await answersTo('{"do":"act","machine":"web","action":"start"}', AbortSignal.abort()), /result/);
});

test('a server that reads nothing does not keep the helper', async () => {
  const [input, output] = [new PassThrough(), new PassThrough({ highWaterMark: 1 })];
  input.write('x\n');
  // @ts-expect-error: nothing of a fleet is used.
  const manager: MachineManager = {};
  await serveHelper(manager, { input, output, signal: new AbortController().signal }, () => {});
  assert.ok(output.destroyed);
});
