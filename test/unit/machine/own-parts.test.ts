import assert from 'node:assert/strict';
import { chmodSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ownParts } from '../../../src/machine/disks/own-parts.ts';
import type { RunAs } from '../../../src/machine/start/run-as.ts';
import { tempDir } from '../../support/temp-root.ts';

test('overlays are removed only if the user that QEMU runs as may write to them', (t) => {
  const path = join(tempDir(t), 'top.qcow2');
  writeFileSync(path, '');
  const { uid, gid, dev, ino } = statSync(path, { bigint: true });
  const here = { path, id: `${dev}:${ino}` };
  const owner: RunAs = { name: 'web', uid: Number(uid), gid: Number(gid) + 1, comment: '', shell: '' };
  const other = { ...owner, uid: owner.uid + 1 };
  const users: Readonly<Record<string, RunAs>> = {
    owner,
    'by its group': { ...other, gid: Number(gid) },
    'by a further group': { ...other, groups: [Number(gid)] },
    'as anyone': { ...other, name: 'nobody-of-this-host' },
  };
  const may: readonly (readonly [mode: number, names: readonly string[]])[] = [
    [0o400, ['owner']],
    [0o660, ['owner', 'by its group', 'by a further group']],
    [0o644, ['owner']],
    [0o602, ['owner', 'as anyone']],
  ];
  for (const [mode, names] of may) {
    chmodSync(path, mode);
    for (const [name, user] of Object.entries(users)) {
      const about = `${mode.toString(8)} ${name}`;
      if (names.includes(name)) assert.deepEqual(ownParts('DSK1', [path], user), [here], about);
      else {
        const expected = {
          code: 'QEMU_NOT_PERMITTED',
          message: `Cannot collapse DSK1: "${path}" would be removed, but user "${user.name}" may not write to it`,
          hint: `an image names it; if that is meant, chown ${user.name} ${path}`,
        };
        assert.throws(() => ownParts('DSK1', [path], user), expected, about);
      }
    }
  }
  // Without RUNAS QEMU is the caller, whose files these are; what is gone needs no removal.
  assert.deepEqual(ownParts('DSK1', [path, `${path}.gone`], undefined), [here]);
});
