import assert from 'node:assert/strict';
import { test } from 'node:test';
import { daemonArgv } from '../../../../src/machine/storage-daemon/daemon-argv.ts';

const user = { name: 'qemu', uid: 64_055, gid: 64_055, comment: '', shell: '', groups: [] };

test('the storage daemon has a memory limit, no network, no rights, and ends with its parent whoever it runs as', () => {
  const argv = daemonArgv({ user, isRoot: true, has: () => true, images: 2 }).join(' ');
  assert.match(argv, /^unshare --net -- prlimit --as=1342177280 --core=0 -- setpriv --reuid=64055 --regid=64055 /);
  assert.match(argv, /--bounding-set=-all --no-new-privs -- setpriv --pdeathsig TERM -- env /);
  assert.match(argv, / qemu-storage-daemon --chardev socket,id=mon,fd=3 --monitor chardev=mon$/);
});

test('without root it is in a user namespace, and without the programs it runs as it is', () => {
  const argv = daemonArgv({ user: undefined, isRoot: false, has: () => true, images: 1 });
  assert.deepEqual(argv.slice(0, 5), ['unshare', '--user', '--map-current-user', '--net', '--']);
  const bare = daemonArgv({ user: undefined, isRoot: false, has: () => false, images: 1 });
  assert.deepEqual(bare.slice(0, 3), ['env', 'MALLOC_ARENA_MAX=2', 'qemu-storage-daemon']);
});
