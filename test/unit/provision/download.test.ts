import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Downloaded, download } from '../../../src/provision/images/download.ts';
import { type Cleanup, tempRoot } from '../../support/temp-root.ts';

const DATA = Buffer.alloc(100_000, 'abc');
const SHA256 = createHash('sha256').update(DATA).digest('hex');

/** Fetches from a server with these answers, one a request. */
async function fetched(
  t: Cleanup,
  answers: readonly ((response: ServerResponse) => void)[],
  { controller, silenceMs = 20_000 }: { readonly controller?: AbortController; readonly silenceMs?: number } = {},
): Promise<{ work: Promise<Downloaded>; part: string; seen: number[] }> {
  let count = 0;
  const server = createServer((_, response) => answers[Math.min(count++, answers.length - 1)]?.(response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const part = join(tempRoot(t).dir, 'part');
  const seen: number[] = [];
  const url = `http://127.0.0.1:${address.port}/a`;
  const onProgress = ({ done }: { readonly done: number }): void => {
    seen.push(done);
    controller?.abort();
  };
  return {
    work: download({ url, part, sha256: SHA256, silenceMs, signal: controller?.signal, onProgress }),
    part,
    seen,
  };
}

const whole = (response: ServerResponse): void =>
  void response.writeHead(200, { 'content-length': DATA.length }).end(DATA);

test('a file without ETag or length is fetched, and its progress is told', async (t) => {
  const { work, part, seen } = await fetched(t, [(response) => void response.writeHead(200).end(DATA)]);
  assert.deepEqual(await work, { sha256: SHA256, sizeBytes: DATA.length, etag: undefined });
  assert.ok(readFileSync(part).equals(DATA));
  assert.equal(seen.at(-1), DATA.length);
});

test('a server that says nothing, at once or in the middle, is not waited for', async (t) => {
  const silent = await fetched(t, [() => {}], { silenceMs: 200 });
  await assert.rejects(silent.work, /has sent nothing for 0\.2 s/);
  assert.equal(existsSync(silent.part), false);
  const stalled = await fetched(
    t,
    [(response) => void response.writeHead(200, { 'content-length': DATA.length }).write(DATA.subarray(0, 1000))],
    { silenceMs: 200 },
  );
  await assert.rejects(stalled.work, /has sent nothing for 0\.2 s/);
  assert.equal(existsSync(stalled.part), false, 'nothing could go on with it');
});

test('a server that ignores the range, or answers another one, begins anew', async (t) => {
  const cut = (response: ServerResponse): void => {
    response.writeHead(200, { etag: '"1"', 'content-length': DATA.length });
    response.write(DATA.subarray(0, 1000), () => response.destroy());
  };
  const ignored = await fetched(t, [cut, whole]);
  assert.equal((await ignored.work).sha256, SHA256);
  const odd = await fetched(t, [
    cut,
    (response) =>
      void response.writeHead(206, { 'content-range': `bytes 5-${DATA.length - 1}/${DATA.length}` }).end('x'),
  ]);
  await assert.rejects(odd.work, /the server says 206/);
});

test('an interruption ends it, and what can be continued stays', async (t) => {
  const controller = new AbortController();
  const { work, part } = await fetched(
    t,
    [
      (response) => {
        response.writeHead(200, { etag: '"1"', 'content-length': DATA.length });
        response.write(DATA.subarray(0, 1000), () => {});
      },
    ],
    { controller },
  );
  await assert.rejects(work, { code: 'QEMU_ABORTED' });
  assert.ok(existsSync(part));
});
