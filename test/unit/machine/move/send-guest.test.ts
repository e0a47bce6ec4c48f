import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tooSlow } from '../../../../src/machine/move/send-guest.ts';

const ram = { remaining: 8 * 1024 ** 2, 'dirty-pages-rate': 512, 'page-size': 4096 };

test('a guest that changes its memory is reported with how fast it does, and may stand still longer', () => {
  const { message, hint } = tooSlow(ram, undefined);
  assert.match(message, /: 8 MiB are left, and it changes 2 MiB a second$/);
  assert.equal(hint, 'give it more time with --timeout, or let it stand still longer with --downtime');
});

test('of a guest that stands still only the line is slow, or what --rate allows', () => {
  const { message, hint } = tooSlow({ ...ram, 'dirty-pages-rate': 0 }, 10_240);
  assert.match(message, /: 8 MiB are left$/);
  assert.equal(hint, 'give it more time with --timeout, or more bytes a second with --rate');
});
