import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sshFailure } from '../../../../src/fleet/move/ssh-failure.ts';
import { parseSshPlace } from '../../../../src/fleet/move/ssh-place.ts';

const place = parseSshPlace('ssh://root@node2:2222');

const CASES = [
  [255, 'Host key verification failed.', false, 'QEMU_NOT_PERMITTED', /is not known$/],
  [
    255,
    '@@@\n@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.',
    false,
    'QEMU_NOT_PERMITTED',
    /is not the one that is known/,
  ],
  [255, 'root@node2: Permission denied (publickey).', false, 'QEMU_NOT_PERMITTED', /may not log in .*publickey/],
  [
    255,
    'ssh: connect to host node2 port 2222: Connection refused',
    false,
    'QEMU_COMMAND_FAILED',
    /Cannot reach .*refused/,
  ],
  [255, 'Timeout, server node2 not responding.', true, 'QEMU_COMMAND_FAILED', /is lost: Timeout/],
  [255, '', false, 'QEMU_COMMAND_FAILED', /^Cannot reach ssh:\/\/root@node2:2222$/],
  [127, 'sh: 1: qemu-init: not found', false, 'QEMU_NOT_INSTALLED', /not installed at/],
  [126, 'Permission denied', false, 'QEMU_NOT_PERMITTED', /cannot be run/],
  [2, 'qemu-init: "receive" is not an action\n  hint: see', false, 'QEMU_COMMAND_FAILED', /too old.*not an action$/],
  [1, 'qemu-init: no', false, 'QEMU_COMMAND_FAILED', /has ended with status 1: qemu-init: no/],
] as const;

test('each way in which ssh and the other end fail has its code and its reason', () => {
  for (const [exitCode, errors, wasThere, code, message] of CASES) {
    const error = sshFailure(place, { exitCode, signal: undefined }, errors, wasThere);
    assert.equal(error.code, code, errors);
    assert.match(error.message, message);
  }
  const killed = sshFailure(place, { exitCode: undefined, signal: 'SIGKILL' }, '', false);
  assert.match(killed.message, /has ended with SIGKILL$/);
  assert.match(
    sshFailure(place, { exitCode: 255, signal: undefined }, 'Permission denied (publickey)', false).hint ?? '',
    /ssh -p 2222 root@node2$/,
  );
  assert.match(
    sshFailure(parseSshPlace('ssh://node2'), { exitCode: 127, signal: undefined }, '', false).hint ?? '',
    /: ssh node2 'command -v qemu-init'$/,
  );
});
