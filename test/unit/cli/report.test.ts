import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigError } from '../../../src/base/config-error.ts';
import { QemuError } from '../../../src/base/errors.ts';
import { describeError, errorDocument } from '../../../src/cli/output/report.ts';

const disk = new Error('ENOSPC: no space left on device');
const deep = new QemuError('QEMU_IO', 'Cannot write "/x"', { cause: disk, hint: 'free some space' });

test('an error is what failed, why, and what to do', () => {
  const error = new QemuError('QEMU_LAUNCH_FAILED', 'Cannot start "web"', { cause: deep });
  assert.equal(
    describeError(error, false),
    'Cannot start "web"\n  because: Cannot write "/x"\n  because: ENOSPC: no space left on device\n  hint: free some space',
  );
});

test('a cause that the message has already is not told again, and the first hint wins', () => {
  const error = new QemuError('QEMU_IO', `Failed: ${disk.message}`, { cause: disk, hint: 'mine' });
  assert.equal(describeError(error, false), `Failed: ${disk.message}\n  hint: mine`);
  assert.match(
    describeError(new QemuError('QEMU_IO', 'a', { cause: 'text', hint: 'h' }), false),
    /because: 'text'\n {2}hint: h$/,
  );
});

test('all problems of a configuration are listed with file and line', () => {
  const issues = [
    { file: '/a.cfg', line: 3, message: 'Bad', severity: 'error', hint: 'good' },
    { file: '/a.cfg', message: 'Missing', severity: 'error' },
  ] as const;
  const error = new ConfigError('Cannot use "/a.cfg"', issues);
  assert.equal(describeError(error, false), 'Cannot use "/a.cfg"\n  /a.cfg:3: Bad (good)\n  /a.cfg: Missing');
  const wrapped = new QemuError('QEMU_LAUNCH_FAILED', 'No', { cause: error });
  assert.match(describeError(wrapped, false), /because: Cannot use "\/a\.cfg"\n {2}\/a\.cfg:3: Bad \(good\)/);
  assert.deepEqual(errorDocument(error), {
    code: 'QEMU_CONFIG_INVALID',
    message: error.message,
    hint: undefined,
    issues: [
      { ...issues[0], key: undefined },
      { ...issues[1], line: undefined, key: undefined, hint: undefined },
    ],
  });
});

test('a stack trace is for bugs and --debug alone', () => {
  assert.doesNotMatch(describeError(deep, false), /\n {4}at /);
  assert.match(describeError(deep, true), /\n {4}at /);
  assert.match(
    describeError(new TypeError('oops'), false),
    /^Internal error \(please report it\): TypeError: oops\n {4}at /,
  );
  assert.equal(describeError('thrown', false), 'Internal error (please report it): thrown');
});

test('an error in a document has code, message and the hint of whichever cause has one', () => {
  const error = new QemuError('QEMU_LAUNCH_FAILED', 'Cannot start "web"', { cause: deep });
  assert.deepEqual(errorDocument(error), {
    code: 'QEMU_LAUNCH_FAILED',
    message: 'Cannot start "web"',
    hint: 'free some space',
  });
  assert.deepEqual(errorDocument('x'), { code: 'INTERNAL', message: 'x', hint: undefined });
});
