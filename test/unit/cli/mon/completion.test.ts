import assert from 'node:assert/strict';
import { test } from 'node:test';
import { complete, describeCommand, readSchema } from '../../../../src/cli/mon/completion.ts';

/** The form that `query-qmp-schema` of QEMU 7.2 has. */
const COMMANDS = readSchema([
  { name: 'device_add', 'meta-type': 'command', 'arg-type': '0', 'ret-type': '9' },
  { name: 'screendump', 'meta-type': 'command', 'arg-type': '1', 'ret-type': '9' },
  { name: 'set_link', 'meta-type': 'command', 'arg-type': '4', 'ret-type': '9' },
  { name: 'STOP', 'meta-type': 'event', 'arg-type': '9' },
  {
    name: '0',
    'meta-type': 'object',
    members: [
      { name: 'driver', type: 'str' },
      { name: 'id', type: 'str', default: null },
    ],
  },
  {
    name: '1',
    'meta-type': 'object',
    members: [
      { name: 'filename', type: 'str' },
      { name: 'format', type: '2', default: null },
      { name: 'areas', type: '[3]', default: null },
      { name: 'place', type: '3', default: null },
    ],
  },
  { name: '2', 'meta-type': 'enum', members: [{ name: 'png' }, { name: 'ppm' }], values: ['png', 'ppm'] },
  { name: '3', 'meta-type': 'object', members: [] },
  {
    name: '4',
    'meta-type': 'object',
    members: [
      { name: 'up', type: 'bool' },
      { name: 'old', type: '5' },
    ],
  },
  { name: '5', 'meta-type': 'enum', values: ['a', 'b'] },
  { name: '[3]', 'meta-type': 'array', 'element-type': '3' },
  { name: 'str', 'meta-type': 'builtin', 'json-type': 'string' },
  { name: 'bool', 'meta-type': 'builtin', 'json-type': 'boolean' },
]);

test('commands are completed, and what the shell itself knows', () => {
  assert.deepEqual(complete('', COMMANDS)[0], ['device_add', 'exit', 'help', 'screendump', 'set_link']);
  assert.deepEqual(complete('  scr', COMMANDS), [['screendump'], 'scr']);
  assert.deepEqual(complete('help s', COMMANDS)[0], ['screendump', 'set_link']);
  assert.deepEqual(complete('STO', COMMANDS)[0], []);
});

test('arguments are completed, but for those that are there already', () => {
  assert.deepEqual(complete('screendump ', COMMANDS)[0], ['areas=', 'filename=', 'format=', 'place=']);
  assert.deepEqual(complete('screendump filename=/x fi', COMMANDS), [[], 'fi']);
  assert.deepEqual(complete('unknown a', COMMANDS), [[], 'a']);
});

test('values are completed where they can be told', () => {
  assert.deepEqual(complete('screendump format=p', COMMANDS), [['format=png', 'format=ppm'], 'format=p']);
  assert.deepEqual(complete('set_link up=t', COMMANDS), [['up=true'], 'up=t']);
  assert.deepEqual(complete('set_link old=', COMMANDS)[0], ['old=a', 'old=b']);
  assert.deepEqual(complete('screendump filename=/tm', COMMANDS), [[], 'filename=/tm']);
});

test('what the value of one argument brings along is completed too, and so are members of members', () => {
  const commands = readSchema([
    { name: 'add', 'meta-type': 'command', 'arg-type': '0' },
    {
      name: '0',
      'meta-type': 'object',
      tag: 'driver',
      members: [{ name: 'driver', type: '1' }],
      variants: [
        { case: 'file', type: '2' },
        { case: 'raw', type: '3' },
      ],
    },
    { name: '1', 'meta-type': 'enum', values: ['file', 'raw'] },
    { name: '2', 'meta-type': 'object', members: [{ name: 'filename', type: 'str' }] },
    { name: '3', 'meta-type': 'object', members: [{ name: 'below', type: '4' }] },
    { name: '4', 'meta-type': 'alternate', members: [{ type: 'str' }, { type: '0' }] },
    { name: 'str', 'meta-type': 'builtin', 'json-type': 'string' },
  ]);
  assert.deepEqual(complete('add ', commands)[0], ['driver=']);
  assert.deepEqual(complete('add driver=file ', commands)[0], ['filename=']);
  assert.deepEqual(complete('add driver=raw b', commands)[0], ['below.', 'below=']);
  assert.deepEqual(complete('add driver=raw below.', commands)[0], ['below.driver=']);
  assert.deepEqual(complete('add driver=raw below.driver=f', commands)[0], ['below.driver=file']);
  assert.deepEqual(complete('add driver=raw below.driver=file below.', commands)[0], ['below.filename=']);
  assert.deepEqual(complete('add driver=raw below.driver=raw below.below.d', commands)[0], ['below.below.driver=']);
  assert.deepEqual(complete('add driver=raw nothing.', commands)[0], []);
  assert.deepEqual(complete('add below.', commands)[0], []);
});

test('help shows arguments with their types, those that may be left out in brackets', () => {
  const help = COMMANDS.get('screendump') ?? assert.fail();
  assert.equal(describeCommand(help), 'screendump filename=str [format=png|ppm] [areas=[…]] [place={…}]');
});

test('a schema of another shape is no crash', () => {
  for (const schema of [undefined, null, 1, {}, [1, null, [], {}]]) assert.equal(readSchema(schema).size, 0);
});
