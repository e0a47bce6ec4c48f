import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MOMENTS, timed } from './interrupt.ts';
import { killAt, snapshotScene } from './snapshot-scene.ts';

/** What is killed. */
export interface KilledCase {
  /** Words of `snapshot create`, by which the snapshot was made. */
  readonly how: readonly string[];
  readonly verb: 'revert' | 'delete';
  /** Of a machine that does not run. */
  readonly isStopped?: boolean;
}

/** A test that kills a command on a snapshot at many moments: it is done or undone then, and no record is lost. */
export function testKilled({ how, verb, isStopped = false }: KilledCase): void {
  const machine = isStopped ? 'a machine that does not run' : 'a machine that runs';
  const title = `SIGKILL at ${MOMENTS} moments of snapshot ${verb} (${how[0] ?? 'inside the images'}) of ${machine}: no record is lost or torn`;
  test(title, async (t) => {
    const scene = await snapshotScene(t, how);
    const before = scene.names();
    const begin = (): Promise<unknown> => (isStopped ? Promise.resolve() : scene.ok('start', 'web'));
    await begin();
    const words = [verb, 'web', 'first'];
    const pace = { tookMs: await timed(() => scene.ok('snapshot', ...words)) };
    const after = scene.names();
    const ends = new Set<string>();
    let killed = 0;
    for (let moment = 0; moment < MOMENTS; moment += 1) {
      await scene.rewind();
      await begin();
      const { isKilled, hasPower, about } = await killAt(scene, moment, pace, words);
      killed += Number(isKilled);
      await scene.ok('stop', 'web', '--force');
      // Overlays are merged one disk after the other: of some the snapshot may be gone.
      const isPart = how[0] === '--external' && verb === 'delete';
      // Clusters that nothing uses are all that a QEMU may leave that was killed.
      const names = await scene.assertTidy(about, { leaks: !hasPower, isPart });
      if (how[0] === '--memory') {
        await scene.assertRecords();
        ends.add(`${names}`);
        continue;
      }
      const found = await scene.whichRecords();
      ends.add(`${found} ${names}`);
      if (verb === 'delete') assert.equal(found, 'now', about);
      else assert.deepEqual(names, ['first'], about);
      const isDone = verb === 'delete' ? names.length === 0 : found === 'then';
      if (isPart && !isDone) await scene.ok('snapshot', ...words);
      assert.deepEqual(scene.names(), isDone || isPart ? after : before, about);
    }
    assert.ok(killed > 0);
    t.diagnostic(`${killed} killed in ${Math.round(pace.tookMs)} ms: ${[...ends].join(' | ')}`);
  });
}
