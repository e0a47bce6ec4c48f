import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isBehindAutomount, isBehindIn } from '../../../src/system/files/automount.ts';
import { followLocally } from '../../../src/system/files/mounts.ts';
import { tempDir } from '../../support/temp-root.ts';

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

test('links are followed as far as nobody else has to be asked', (t) => {
  const dir = tempDir(t);
  const at = (name: string): string => join(dir, name);
  mkdirSync(at('own'));
  for (const [name, target] of [
    ['away', '/nowhere/nfs/vm'],
    ['own/up', '../away/x/../y'],
    ['own/near', './../own/./plain'],
    ['loop', 'loop'],
  ] as const) {
    symlinkSync(target, at(name));
  }
  const mounts = ['ext4 /', 'nfs4 /nowhere/nfs', 'fuse.sshfs /nowhere/ssh', 'fuseblk /nowhere/usb'].map((line) => {
    const [type = '', point = ''] = line.split(' ');
    return { type, point };
  });
  const follow = (path: string): string => {
    const { path: found, isLocal } = followLocally(path, mounts);
    return `${isLocal ? 'here' : 'away'} ${found.replace(dir, 'DIR')}`;
  };
  assert.equal(follow(at('away/web.img')), 'away /nowhere/nfs/vm/web.img');
  assert.equal(follow(at('own/up/web.img')), 'away /nowhere/nfs/vm/x/../y/web.img');
  assert.equal(follow(at('own/near')), 'here DIR/own/plain');
  assert.equal(follow(at('own/../../..//..')), 'here /');
  assert.equal(follow(at('gone/x')), 'here DIR/gone/x');
  assert.match(follow(at('loop/x')), /^here /);
  assert.equal(follow('/nowhere/ssh'), 'away /nowhere/ssh');
  assert.equal(follow('/nowhere/usb/x'), 'here /nowhere/usb/x');
  // A host whose own root another one has would have nothing else.
  assert.equal(followLocally('/x', [{ type: 'nfs4', point: '/' }]).isLocal, true);
});
