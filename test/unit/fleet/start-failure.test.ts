import assert from 'node:assert/strict';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ConfigError } from '../../../src/base/config-error.ts';
import { LaunchError, QemuError } from '../../../src/base/errors.ts';
import { describeError } from '../../../src/cli/output/report.ts';
import {
  lastStartFailure,
  readStartFailure,
  removeStartFailure,
  writeStartFailure,
} from '../../../src/fleet/service/start-failure.ts';
import { type Paths, resolvePaths } from '../../../src/system/paths.ts';
import { type Cleanup, tempRoot } from '../../support/temp-root.ts';

function pathsFor(t: Cleanup): Paths {
  return resolvePaths({ root: tempRoot(t).dir }, {}, 0, '/');
}

test('an error that was written down reads as it would have where it happened', (t) => {
  const paths = pathsFor(t);
  const issue = {
    file: '/etc/qemu/web-qemu.cfg',
    line: 3,
    key: 'RAM',
    message: 'too much',
    severity: 'error',
  } as const;
  const detail = { argv: ['qemu'], exitCode: 1, signal: undefined, output: 'said' };
  const errors = [
    new QemuError('QEMU_LOCKED', 'Somebody is busy', { hint: 'wait' }),
    new ConfigError('Cannot use it', [issue]),
    new LaunchError('qemu ended with exit status 1: said', detail, { cause: new Error('deep'), hint: 'look' }),
    new QemuError('QEMU_IO', 'Outer', { cause: new QemuError('QEMU_IO', 'Middle', { cause: new Error('inner') }) }),
  ];
  for (const error of errors) {
    writeStartFailure(paths, 'web', error);
    const read = readStartFailure(paths, 'web');
    assert.equal(read?.code, error.code);
    assert.equal(describeError(read, false), describeError(error, false));
  }
});

test('of a start that failed status has one line: what was wrong first, or what was at the bottom of it', (t) => {
  const paths = pathsFor(t);
  const message = (error: unknown): string | undefined => {
    writeStartFailure(paths, 'web', error);
    return lastStartFailure(paths, 'web')?.message;
  };
  assert.equal(lastStartFailure(paths, 'web'), undefined);
  const issues = [
    { file: '/f', message: 'only odd', severity: 'warning' },
    { file: '/f', message: 'there is no bridge "br0"', severity: 'error' },
  ] as const;
  assert.equal(message(new ConfigError('Cannot start', issues)), 'there is no bridge "br0"');
  assert.equal(message(new QemuError('QEMU_IO', 'Outer', { cause: new Error('inner') })), 'Outer: inner');
  writeFileSync(join(paths.runDir, '.failures/web.json'), '{"at":');
  assert.equal(lastStartFailure(paths, 'web'), undefined);
});

test('only root reads why a start failed, and nothing is left once it was told', (t) => {
  const paths = pathsFor(t);
  assert.equal(readStartFailure(paths, 'web'), undefined);
  writeStartFailure(paths, 'web', new Error('a bug'));
  assert.equal(statSync(join(paths.runDir, '.failures')).mode & 0o777, 0o700);
  assert.equal(readStartFailure(paths, 'web')?.code, 'QEMU_LAUNCH_FAILED');
  removeStartFailure(paths, 'web');
  assert.equal(readStartFailure(paths, 'web'), undefined);
});
