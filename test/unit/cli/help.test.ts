import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nameOf } from '../../../src/cli/help/command.ts';
import { unknownVerb } from '../../../src/cli/help/unknown-verb.ts';
import type { Action } from '../../../src/cli/init/action.ts';
import { ACTIONS } from '../../../src/cli/init/actions.ts';
import { helpOnAction, helpOnAll } from '../../../src/cli/init/help.ts';

test('the help lists every action once, in groups, in lines as wide as the terminal', () => {
  for (const width of [40, 80, 100]) {
    const text = helpOnAll(width);
    for (const action of ACTIONS) {
      assert.equal(
        text.split('\n').filter((line) => line.startsWith(`  ${nameOf(action)} `)).length,
        1,
        nameOf(action),
      );
    }
    assert.deepEqual(text.match(/^\w+:$/gm), [
      'Life:',
      'Look:',
      'Disks:',
      'Guest:',
      'Configure:',
      'Host:',
      'Output:',
      'Scope:',
    ]);
    assert.deepEqual(
      text.split('\n').filter((line) => line.length > width && width > 40),
      [],
    );
  }
});

test('the help on a noun says that a verb is needed', () => {
  const callOf = (name: string): string | undefined => {
    const action = ACTIONS.find((each) => nameOf(each) === name);
    return action && helpOnAction(action, undefined, 80).split('\n')[0];
  };
  assert.equal(callOf('snapshot'), 'qemu-init snapshot VERB [options]');
  assert.equal(callOf('image'), 'qemu-init image VERB [options]');
  assert.equal(callOf('start'), 'qemu-init start [ID...] [options]');
});

test('the help on an action has its own options before those of all, and words by name, without types', () => {
  for (const action of ACTIONS) {
    for (const subject of [undefined, ...(action.verbs ?? [])]) {
      const text = helpOnAction(action, subject, 80);
      assert.match(text, /\nOptions:\n(.|\n)*\nOutput:\n(.|\n)*\nScope:\n/);
      assert.doesNotMatch(text, /\[(array|string|boolean|default)|undefined|null/);
    }
  }
  const stop = ACTIONS.find((action) => nameOf(action) === 'stop');
  assert.ok(stop);
  assert.match(
    helpOnAction(stop, undefined, 80),
    /^qemu-init stop \[ID\.\.\.\] \[options\]\n(.|\n)*\n {2}--timeout S +Seconds the guest has to shut down/,
  );
});

const NOUN: Action = {
  command: 'disk',
  group: 'Disks',
  describe: 'Look after disks',
  verbs: ['resize <id> <disk> <size>', 'list [id]'].map((command) => ({
    command,
    describe: 'Do it',
    load: () => Promise.reject(new Error('unused')),
  })),
};

test('a verb that does not exist leads to the one that is meant; where machines may stand, machines may have any name', () => {
  const hint = (action: Action, ...argv: string[]): string | undefined => unknownVerb('qemu-init', argv, action)?.hint;
  assert.equal(
    hint(NOUN, 'disk', 'resise', 'web', 'DSK1', '8G'),
    'did you mean "disk resize"? see: qemu-init disk --help',
  );
  // As virsh, docker and others call it.
  assert.equal(hint(NOUN, 'disk', 'ls'), 'did you mean "disk list"? see: qemu-init disk --help');
  assert.equal(hint(NOUN, 'disk', 'burn'), 'see: qemu-init disk --help');
  assert.equal(unknownVerb('qemu-init', ['disk'], NOUN)?.message, '"disk" needs one of: resize, list');
  assert.equal(hint(NOUN, 'disk', 'list'), undefined);
  assert.equal(hint(NOUN, '--json', 'disk', 'list'), undefined);
  const jobs = ACTIONS.find((action) => nameOf(action) === 'jobs');
  assert.ok(jobs);
  assert.equal(hint(jobs, 'jobs', 'cancle', 'web', 'j'), 'did you mean "jobs cancel"? see: qemu-init jobs --help');
  assert.equal(hint(jobs, 'jobs', 'cancle'), undefined);
  assert.equal(hint(jobs, 'jobs', 'web', 'db'), undefined);
});
