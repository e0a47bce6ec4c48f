import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigError } from '../../../src/base/config-error.ts';
import { errorFromJson, errorToJson } from '../../../src/base/error-json.ts';
import { QemuError } from '../../../src/base/errors.ts';

test('an error crosses a line with its code, its causes and its hint', () => {
  const error = new QemuError('QEMU_IO', 'Cannot read "x"', {
    cause: new Error('EIO', { cause: 'odd' }),
    hint: 'look',
  });
  const read = errorFromJson(JSON.parse(JSON.stringify(errorToJson(error))));
  assert.deepEqual([read.code, read.message, read.hint], ['QEMU_IO', 'Cannot read "x": EIO', 'look']);
  const config = new ConfigError('Cannot use "x"', [{ severity: 'error', message: 'RAM is wrong' } as never]);
  assert.equal(errorToJson(config).message, 'Cannot use "x": RAM is wrong');
  assert.equal(errorToJson(new Error('no')).code, 'QEMU_COMMAND_FAILED');
});

test('an error of a kind that is not known here is that of a command that failed', () => {
  const read = errorFromJson({ code: 'QEMU_NEW', message: '', hint: 1 });
  assert.deepEqual([read.code, read.message, read.hint], ['QEMU_COMMAND_FAILED', 'It failed', undefined]);
  assert.equal(errorFromJson(undefined).code, 'QEMU_COMMAND_FAILED');
});
