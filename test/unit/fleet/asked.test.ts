import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { askedMachines, readAsked, takeAsked, writeAsked } from '../../../src/fleet/service/asked.ts';
import { forgetCrashes, MOST_CRASHES, recordCrash } from '../../../src/fleet/service/crashes.ts';
import { resolvePaths } from '../../../src/system/paths.ts';
import { tempRoot } from '../../support/temp-root.ts';

test('how a unit is to start its machine counts for one start, where its file is until the host boots', (t) => {
  const paths = resolvePaths({ root: tempRoot(t).dir }, {}, 0, '/');
  writeAsked(paths, 'lone', { configPath: '/srv/lone-qemu.cfg', paused: true, preconfig: false, fresh: false });
  assert.deepEqual(takeAsked(paths, 'lone'), {
    configPath: '/srv/lone-qemu.cfg',
    paused: true,
    preconfig: false,
    fresh: false,
  });
  assert.deepEqual(takeAsked(paths, 'lone'), {
    configPath: '/srv/lone-qemu.cfg',
    paused: false,
    preconfig: false,
    fresh: false,
  });
  assert.deepEqual(askedMachines(paths), [{ longName: 'lone', configPath: '/srv/lone-qemu.cfg' }]);
  writeAsked(paths, 'lone', { configPath: undefined, paused: false, preconfig: false, fresh: false });
  assert.deepEqual(askedMachines(paths), []);
});

test('a damaged note asks for nothing', (t) => {
  const paths = resolvePaths({ root: tempRoot(t).dir }, {}, 0, '/');
  writeAsked(paths, 'web', { configPath: undefined, paused: true, preconfig: false, fresh: false });
  for (const text of ['', '{', '[]', 'null', '{"configPath":7,"paused":"yes"}']) {
    writeFileSync(join(paths.runDir, '.asked/web.json'), text);
    assert.deepEqual(
      readAsked(paths, 'web'),
      { configPath: undefined, paused: false, preconfig: false, fresh: false },
      text,
    );
  }
});

test('the last of too many ends within ten minutes is told from the others, and the count then begins anew', (t) => {
  const paths = resolvePaths({ root: tempRoot(t).dir }, {}, 0, '/');
  for (let round = 0; round < 2; round++) {
    for (let end = 1; end < MOST_CRASHES; end++) assert.equal(recordCrash(paths, 'web'), false);
    assert.equal(recordCrash(paths, 'web'), true);
  }
  assert.equal(recordCrash(paths, 'web'), false);
  writeFileSync(join(paths.runDir, '.crashes/web.json'), JSON.stringify([-2000, -1900, -1800, -1700]));
  assert.equal(recordCrash(paths, 'web'), false);
  forgetCrashes(paths, 'web');
});
