import assert from 'node:assert/strict';
import { test } from 'node:test';
import { prefixOf, type RunAs } from '../../../src/machine/start/run-as.ts';

const USER: RunAs = { name: 'qi-web', uid: 990, gid: 991, comment: '', shell: '/usr/sbin/nologin' };
const config = { runAs: 'qi-web', ownUser: true, longName: 'web' };

test('with RUNAS nothing is left of the rights of root, and nothing can bring them back', () => {
  const words = prefixOf(config, { ...USER, groups: [] });
  for (const word of ['--reuid=990', '--regid=991', '--bounding-set=-all', '--inh-caps=-all', '--no-new-privs']) {
    assert.ok(words.includes(word), word);
  }
});

test('a user of one machine has no groups but those that it was given', () => {
  assert.ok(prefixOf(config, { ...USER, groups: [] }).includes('--clear-groups'));
  assert.ok(prefixOf(config, { ...USER, groups: [36, 44] }).includes('--groups=36,44'));
  assert.ok(prefixOf({ ...config, ownUser: false }, USER).includes('--init-groups'));
});

test('RUNAS of the caller itself keeps the user, and no privilege is gained either', () => {
  assert.deepEqual(prefixOf(config, undefined), ['setpriv', '--no-new-privs', '--']);
  assert.deepEqual(prefixOf({ ...config, runAs: undefined }, undefined), []);
});
