import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cleanHmpText, findHmpError } from '../../../src/qmp/hmp.ts';

for (const [text, error] of [
  ["unknown command: 'nope'\r\n", "unknown command: 'nope'"],
  ["unknown command: 'info nope'\r\n", "unknown command: 'info nope'"],
  ["Error: Device 'foo' not found\r\n", "Error: Device 'foo' not found"],
  [
    'eject: block device name expected\r\nTry "help eject" for more information\r\n',
    'eject: block device name expected',
  ],
  ['invalid parameter: nokey\r\n', 'invalid parameter: nokey'],
  ["Device 'nope' not found\r\n", "Device 'nope' not found"],
  ["unrecognized netdev id 'nope'\r\n", "unrecognized netdev id 'nope'"],
  ['ffffffffffff0000: Cannot access memory\r\n', 'ffffffffffff0000: Cannot access memory'],
  [
    'Error opening logfile /nope/x: No such file or directory\r\n',
    'Error opening logfile /nope/x: No such file or directory',
  ],
  [
    "'nope' is not a valid char driver\nCould not open gdbserver on device 'nope'\n",
    "Could not open gdbserver on device 'nope'",
  ],
  ['000000007ffe0000: 0x00000000\r\n', undefined],
  ['kvm support: disabled\r\n', undefined],
  ['gpa: 0xfffffffff0000\r\n', undefined],
  ['VM status: running\r\n', undefined],
  ['', undefined],
  ['Try "help x" for more information\n', undefined],
] as const) {
  test(`the answer ${JSON.stringify(text)} is ${error === undefined ? 'a result' : 'an error'}`, () => {
    assert.equal(findHmpError(text), error);
  });
}

test('cleanHmpText leaves plain line feeds', () => {
  assert.equal(cleanHmpText('a\r\nb\r\n'), 'a\nb\n');
});
