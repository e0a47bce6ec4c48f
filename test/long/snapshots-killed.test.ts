import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MOMENTS, timed } from '../support/interrupt.ts';
import { killAt, snapshotScene } from '../support/snapshot-scene.ts';

test(`SIGKILL at ${MOMENTS} moments of each command on the snapshots of a stopped machine: no record is lost or torn`, async (t) => {
  const scene = await snapshotScene(t, []);
  const before = scene.names();
  for (const words of [
    ['create', 'web', 'next'],
    ['revert', 'web', 'first'],
    ['delete', 'web', 'first'],
  ] as const) {
    await scene.rewind();
    const pace = { tookMs: await timed(() => scene.ok('snapshot', ...words)) };
    let killed = 0;
    const ends = new Set<string>();
    for (let moment = 0; moment < MOMENTS; moment += 1) {
      await scene.rewind();
      const { isKilled, about } = await killAt(scene, moment, pace, words);
      killed += Number(isKilled);
      const names = await scene.assertTidy(about);
      const found = await scene.which();
      ends.add(`${found} ${names}`);
      if (words[0] !== 'revert') assert.equal(found, 'now', about);
      if (words[0] !== 'delete') assert.ok(names.includes('first'), about);
      if (names.includes('first')) assert.equal(await scene.which({ snapshot: 'first' }), 'then', about);
      if (names.includes('next')) assert.equal(await scene.which({ snapshot: 'next' }), 'now', about);
      assert.deepEqual(scene.names(), before, about);
    }
    assert.ok(killed > 0, words[0]);
    t.diagnostic(`${words[0]}: ${killed} killed in ${Math.round(pace.tookMs)} ms: ${[...ends].join(' | ')}`);
  }
});
