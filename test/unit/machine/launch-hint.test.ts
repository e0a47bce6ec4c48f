import assert from 'node:assert/strict';
import { test } from 'node:test';
import { launchHint } from '../../../src/machine/launch-hint.ts';

const context = { runAs: 'qi-web', logPath: '/var/log/qemu-init/web.log' };

test("a file that QEMU's user may not use is named with the line that gives it", () => {
  const disk = launchHint("Could not open '/srv/a b.img': Permission denied", context);
  assert.match(disk, /: chown qi-web '\/srv\/a b\.img';/);
  const text = "Could not open backing file: Could not open '/srv/base.img': Permission denied";
  assert.match(launchHint(text, context), /chgrp qemu \/srv\/base\.img; chmod g\+r \/srv\/base\.img/);
});

test('taps that were made for a user who may not open them are another case than taps that nobody made', () => {
  const text = 'could not open /dev/net/tun: Permission denied';
  assert.match(launchHint(text, context), /^QEMU runs as "qi-web" .*chmod 0666 \/dev\/net\/tun/);
  assert.match(launchHint(text, { ...context, runAs: undefined }), /^only root may make taps/);
});
