import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseMachineConfig } from '../../../../src/config/machine-config.ts';
import { arrivingDisks, roomProblems, textWithNewDisks, withNewDisks } from '../../../../src/fleet/move/copied-cfg.ts';
import type { CopiedDisk } from '../../../../src/machine/move/copied-disks.ts';
import { tempRoot } from '../../../support/temp-root.ts';

const DISKS: readonly CopiedDisk[] = [
  { key: 'DSK1', format: 'qcow2', sizeBytes: 1000, storedBytes: 300 },
  { key: 'DSK2', format: 'raw', sizeBytes: 2000, storedBytes: 100 },
];

test('the file of a machine names its new images by their names alone, and is otherwise the same', () => {
  const target = { configPath: '/there/web-qemu.cfg', longName: 'web' };
  const text = '# mine\nRAM=1G\nDSK1="/srv/a.vmdk,serial=1,cache=none"\nDSK2=/srv/b.img\n';
  const { config } = parseMachineConfig(text, { path: target.configPath });
  assert.ok(config);
  const disks = arrivingDisks(target, DISKS);
  assert.deepEqual(
    disks.map(({ file }) => file),
    ['/there/web.qcow2', '/there/web-2.img'],
  );
  const changed = textWithNewDisks(text, config, disks);
  assert.match(changed, /^# mine\nRAM=1G\nDSK1="?web\.qcow2,/);
  assert.match(changed, /serial=1/);
  assert.match(changed, /^DSK2="?web-2\.img,format=raw/m);
  const now = withNewDisks(config, disks);
  assert.deepEqual(
    now.disks.map(({ file, format }) => [file, format]),
    [
      ['/there/web.qcow2', 'qcow2'],
      ['/there/web-2.img', 'raw'],
    ],
  );
  assert.equal(textWithNewDisks(text, config, []), text);
  assert.deepEqual(withNewDisks(config, []), config);
});

test('images that exist and disks that do not fit are in the way', (t) => {
  const { etcDir } = tempRoot(t);
  const target = { configPath: join(etcDir, 'not/yet/web-qemu.cfg'), longName: 'web' };
  assert.deepEqual(roomProblems(arrivingDisks(target, DISKS)), []);
  assert.deepEqual(roomProblems([]), []);
  const [first] = DISKS;
  assert.ok(first);
  const huge = arrivingDisks(target, [{ ...first, storedBytes: 2 ** 62 }]);
  assert.match(roomProblems(huge).join(), /the disks need up to \d+ MiB, but ".*\/etc\/qemu" has \d+ MiB free/);
  writeFileSync(join(etcDir, 'web.qcow2'), '');
  const here = arrivingDisks({ ...target, configPath: join(etcDir, 'web-qemu.cfg') }, DISKS);
  assert.match(roomProblems(here).join(), /web\.qcow2" exists already/);
});
