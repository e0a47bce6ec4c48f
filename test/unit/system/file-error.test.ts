import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileError, firstMissingPart, isMissingSession, NO_SESSION } from '../../../src/system/files/file-error.ts';
import { tempDir } from '../../support/temp-root.ts';

for (const [errno, code, hint] of [
  ['EACCES', 'QEMU_NOT_PERMITTED', /run as root/],
  ['EPERM', 'QEMU_NOT_PERMITTED', /run as root/],
  ['ENOSPC', 'QEMU_IO', /full/],
  ['EDQUOT', 'QEMU_IO', /quota/],
  ['EROFS', 'QEMU_IO', /read-only/],
  ['EISDIR', 'QEMU_IO', /folder/],
] as const) {
  test(`fileError() turns ${errno} into ${code} with a hint`, () => {
    const cause = Object.assign(new Error('from the system'), { code: errno });
    const error = fileError('write', '/some/file', cause);
    assert.equal(error.code, code);
    assert.equal(error.message, 'Cannot write "/some/file"');
    assert.equal(error.cause, cause);
    assert.match(error.hint ?? '', hint);
  });
}

test('firstMissingPart() names where a path stops to exist', (t) => {
  const dir = tempDir(t);
  mkdirSync(join(dir, 'there'));
  assert.equal(firstMissingPart(join(dir, 'there')), undefined);
  assert.equal(firstMissingPart(join(dir, 'there/a/b')), join(dir, 'there/a'));
  assert.equal(firstMissingPart('/'), undefined);
});

test('whoever has no login session is told that, and not to become root', () => {
  const cause = Object.assign(new Error('EACCES'), { code: 'EACCES' });
  const path = '/run/user/4294967/qemu-init';
  assert.ok(isMissingSession(path));
  assert.equal(fileError('make folder', path, cause).hint, NO_SESSION);
  assert.match(fileError('make folder', '/srv/x', cause).hint ?? '', /run as root/);
  assert.equal(isMissingSession('/run/user/me/qemu-init'), false);
});

test('the reason names the folder of a file, and not the descriptor by which it was open', () => {
  const cause = new Error("EACCES: permission denied, open '/proc/self/fd/18/.shot.png.1-1.part'");
  const { cause: reason } = fileError('write', '/sys/$&/shot.png', cause);
  assert.match(String(reason), /open '\/sys\/\$&\/\.shot\.png\.1-1\.part'$/);
});
