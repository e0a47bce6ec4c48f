import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ConfigError } from '../../../src/base/config-error.ts';
import { type ErrorCode, LaunchError, QemuError } from '../../../src/base/errors.ts';
import { exitCodeOf, statusExitCode, worst } from '../../../src/cli/run/exit-code.ts';
import { repoRoot } from '../../support/repo.ts';

const of = (code: ErrorCode): number => exitCodeOf(new QemuError(code, 'x'));

test('errors have the exit status of the LSB table', () => {
  assert.equal(of('QEMU_LAUNCH_FAILED'), 1);
  assert.equal(of('QEMU_QMP_REFUSED'), 1);
  assert.equal(of('QEMU_USAGE'), 2);
  assert.equal(of('QEMU_NOT_IMPLEMENTED'), 3);
  assert.equal(of('QEMU_NOT_PERMITTED'), 4);
  assert.equal(of('QEMU_NOT_INSTALLED'), 5);
  assert.equal(of('QEMU_CONFIG_INVALID'), 6);
  assert.equal(of('QEMU_MACHINE_UNKNOWN'), 6);
  assert.equal(of('QEMU_NOT_RUNNING'), 7);
  assert.equal(of('QEMU_ABORTED'), 130);
  assert.equal(exitCodeOf(new ConfigError('x', [])), 6);
  assert.equal(exitCodeOf(new LaunchError('x', { argv: [], output: '' })), 1);
  for (const error of [new Error('x'), 'x', undefined, { code: 'QEMU_USAGE' }]) assert.equal(exitCodeOf(error), 1);
});

test('every code of an error has a status', () => {
  const source = readFileSync(join(repoRoot, 'src/base/errors.ts'), 'utf8');
  const codes = [...source.matchAll(/^ {2}\| '(QEMU_\w+)'/gm)].map(([, code]) => code as ErrorCode);
  assert.ok(codes.length > 20);
  for (const code of codes) assert.ok(Number.isInteger(of(code)), code);
});

test('status has the table of its own', () => {
  assert.equal(statusExitCode('dead'), 1);
  assert.equal(statusExitCode('stopped'), 3);
  assert.equal(statusExitCode('unresponsive'), 4);
  for (const state of ['running', 'paused', 'prelaunch', 'preconfig', 'io-error', 'guest-panicked', 'shutdown']) {
    assert.equal(statusExitCode(state), 0, state);
  }
});

test('of several the highest counts', () => {
  assert.equal(worst([]), 0);
  assert.equal(worst([0, 6, 1]), 6);
});
