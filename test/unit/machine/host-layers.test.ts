import assert from 'node:assert/strict';
import { chownSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { DiskLayer } from '../../../src/machine/disks/disk-layer.ts';
import { requireOwn } from '../../../src/machine/disks/host-layers.ts';
import type { User } from '../../../src/system/users.ts';
import { tempDir } from '../../support/temp-root.ts';

const NOBODY: User = { name: 'nobody', uid: 65_534, gid: 65_534, comment: '', shell: '/bin/false' };

function layer(file: string): DiskLayer {
  const rest = { virtualSizeBytes: 0, actualSizeBytes: 0, bitmaps: [], snapshots: [], corrupt: false };
  return { node: undefined, fileNode: undefined, file, format: 'qcow2', ...rest };
}

test('overlays are removed only if they belong to the user that QEMU runs as', (t) => {
  const dir = tempDir(t);
  const [own, other] = [join(dir, 'own.qcow2'), join(dir, 'other.qcow2')];
  for (const path of [own, other]) writeFileSync(path, '');
  const uid = process.getuid?.() ?? 0;
  const user = { ...NOBODY, uid: uid === 0 ? NOBODY.uid : uid };
  if (uid === 0) chownSync(own, NOBODY.uid, NOBODY.gid);
  requireOwn('DSK1', [layer(own), layer(join(dir, 'gone.qcow2'))], user);
  assert.throws(() => requireOwn('DSK1', [layer(own), layer(other)], { ...user, uid: user.uid + 1 }), {
    code: 'QEMU_NOT_PERMITTED',
    message: /Cannot collapse DSK1: ".*own\.qcow2" would be removed, but does not belong to user "nobody"/,
    hint: /^an image names it; if that is meant, chown nobody .*own\.qcow2$/,
  });
  // Without RUNAS QEMU is the caller, whose files these are.
  requireOwn('DSK1', [layer(own), layer(other)], undefined);
});
