import assert from 'node:assert/strict';
import { test } from 'node:test';
import { childEnvironment, qemuEnvironment } from '../../../src/system/process/environment.ts';

const NEEDED = { PATH: '/bin', HOME: '/root', LANG: 'C', LC_TIME: 'C', TZ: 'UTC', QEMU_INIT_ROOT: '/r' };
const CALLER = {
  ...{ ...NEEDED, DISPLAY: ':0', DB_PASSWORD: 'secret' },
  ...{ TMPDIR: '/tmp/caller', LC_PVE_TICKET: 'secret', QEMU_INIT_X: 'x' },
  ...{ LD_PRELOAD: '/tmp/evil.so', NODE_OPTIONS: '--require=/tmp/evil.cjs' },
};

test('a program gets what it needs of the environment, and no secret of the caller', () => {
  assert.deepEqual(childEnvironment({ WORD: 'more' }, CALLER), { ...NEEDED, TMPDIR: '/tmp/caller', WORD: 'more' });
  assert.match(childEnvironment({}, {})['PATH'] ?? '', /\/usr\/bin/);
});

test('QEMU knows the session of the caller only when it shows or plays something in it, as that user', () => {
  const names = (argv: readonly string[], asCaller: boolean): string[] =>
    Object.keys(qemuEnvironment({ argv, asCaller }, CALLER)).sort();
  const base = ['LANG', 'LC_TIME', 'PATH', 'QEMU_INIT_ROOT', 'TZ'];
  assert.deepEqual(names(['qemu', '-display', 'gtk'], false), base);
  assert.deepEqual(names(['qemu', '-display', 'none'], true), [...base, 'HOME', 'TMPDIR'].sort());
  assert.deepEqual(names(['qemu', '-display', 'gtk'], true), [...base, 'HOME', 'TMPDIR', 'DISPLAY'].sort());
  assert.deepEqual(
    names(['qemu', '-display', 'none', '-audiodev', 'pa,id=a'], true),
    [...base, 'HOME', 'TMPDIR', 'DISPLAY'].sort(),
  );
});
