import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RegexWorker } from '../../../src/system/process/regex-worker.ts';

const never = new AbortController().signal;

test('a search finds what the pattern finds, from an index on', async () => {
  await using search = new RegexWorker(/^b/gm);
  assert.equal(
    await search.test(
      [
        { text: 'ab', from: 0 },
        { text: 'a\nb', from: 0 },
      ],
      never,
    ),
    true,
  );
  assert.equal(await search.test([{ text: 'ab', from: 1 }], never), false);
});

test('a search that never ends is given up at the signal, and the next one works', async () => {
  await using search = new RegexWorker(/(x+x+)+y/);
  const endless = [{ text: 'x'.repeat(4000), from: 0 }];
  await assert.rejects(search.test(endless, AbortSignal.timeout(200)), { code: 'QEMU_ABORTED' });
  await assert.rejects(search.test(endless, AbortSignal.abort()), { code: 'QEMU_ABORTED' });
  assert.equal(await search.test([{ text: 'xxy', from: 0 }], never), true);
});
