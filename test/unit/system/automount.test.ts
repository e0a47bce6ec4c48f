import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isBehindAutomount, isBehindIn } from '../../../src/system/files/automount.ts';

const TABLE = [
  '21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw',
  '30 21 0:25 / /srv/a rw,relatime shared:2 - autofs systemd-1 rw,fd=30',
  '31 21 0:26 / /srv/b rw,relatime shared:3 - autofs systemd-1 rw,fd=31',
  '40 31 0:40 / /srv/b rw,relatime shared:4 - nfs4 host:/b rw',
  String.raw`41 21 0:41 / /srv/my\040vms rw - autofs systemd-1 rw`,
].join('\n');

test('a path behind an automount that is not mounted yet is told from one that is, and from all others', () => {
  const behind = ['/srv/a', '/srv/a/vm/web-qemu.cfg', '/srv/my vms/x'];
  for (const path of behind) assert.equal(isBehindIn(TABLE, path), true, path);
  for (const path of ['/srv/b/x', '/srv/ab', '/srv', '/etc/qemu/web-qemu.cfg']) {
    assert.equal(isBehindIn(TABLE, path), false, path);
  }
  assert.equal(isBehindAutomount('/etc'), false);
});
