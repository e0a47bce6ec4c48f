import assert from 'node:assert/strict';
import { test } from 'node:test';
import { launchHint } from '../../../src/machine/start/launch-error.ts';

const context = { runAs: 'qi-web', logPath: '/var/log/qemu-init/web.log' };

test("a file that QEMU's user may not use is named with the line that gives it", () => {
  const disk = launchHint("Could not open '/srv/a b.img': Permission denied", context);
  assert.match(disk, /: chown qi-web '\/srv\/a b\.img';/);
  const text = "Could not open backing file: Could not open '/srv/base.img': Permission denied";
  assert.match(launchHint(text, context), /chgrp qemu \/srv\/base\.img; chmod g\+r \/srv\/base\.img/);
});

test('a file that only an image names is not to be opened to the user without a thought', () => {
  const argv = ['-drive', 'file=/srv/a,,b.img,format=qcow2'];
  const shadow = launchHint("Could not open '/etc/shadow': Permission denied", { ...context, argv });
  assert.match(shadow, /an image names it; if that is meant, chown qi-web \/etc\/shadow/);
  const named = launchHint("Could not open '/srv/a,b.img': Permission denied", { ...context, argv });
  assert.doesNotMatch(named, /if that is meant/);
});

test('taps that were made for a user who may not open them are another case than taps that nobody made', () => {
  const text = 'could not open /dev/net/tun: Permission denied';
  assert.match(launchHint(text, context), /^QEMU runs as "qi-web" .*chmod 0666 \/dev\/net\/tun/);
  assert.match(launchHint(text, { ...context, runAs: undefined }), /^only root may create taps/);
});

test('nodes that the host does not have are named by their option', () => {
  const text = 'cannot bind memory to host NUMA nodes: Invalid argument';
  assert.match(launchHint(text, context), /^hostnodes= of NUMAx/);
});
