import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isAssignment, parseQmpRequest } from '../../../src/cli/input/qmp-arguments.ts';
import { encodeJson } from '../../../src/qmp/json.ts';

const request = (text: string, ...words: string[]): unknown => {
  const { command, args } = parseQmpRequest(text, words);
  return [command, args];
};

test('a command is a name with key=value words', () => {
  assert.deepEqual(request('query-status'), ['query-status', undefined]);
  assert.deepEqual(request('device_add', 'driver=virtio-rng-pci', 'id=rng2'), [
    'device_add',
    { driver: 'virtio-rng-pci', id: 'rng2' },
  ]);
});

test('a value is JSON when it looks like it, else text', () => {
  const value = (text: string): unknown => parseQmpRequest('x', [`k=${text}`]).args?.['k'];
  for (const [text, expected] of [
    ['7', 7],
    ['-1.5', -1.5],
    ['true', true],
    ['null', null],
    ['[1,"a"]', [1, 'a']],
    ['{"a":{"b":1}}', { a: { b: 1 } }],
    ['"7"', '7'],
    ['10G', '10G'],
    ['1a:2b', '1a:2b'],
    ['truethful', 'truethful'],
    ['', ''],
    ['a=b', 'a=b'],
    ['-x', '-x'],
    ['9223372036854775807', 9223372036854775807n],
  ] as const) {
    assert.deepEqual(value(text), expected, text);
  }
  for (const text of ['[1', '{"a"', '"x']) assert.throws(() => value(text), { code: 'QEMU_USAGE' });
});

test('a dot in a key goes into an object', () => {
  assert.deepEqual(request('blockdev-add', 'driver=raw', 'file.driver=file', 'file.filename=/a.img'), [
    'blockdev-add',
    { driver: 'raw', file: { driver: 'file', filename: '/a.img' } },
  ]);
  for (const twice of [
    ['a=1', 'a=2'],
    ['a.b=1', 'a.b=2'],
    ['a.b=1', 'a=2'],
  ])
    assert.throws(() => request('x', ...twice), { code: 'QEMU_USAGE', message: /"[ab]" has a value already/ });
  assert.throws(() => request('x', 'a=1', 'a.b=2'), { code: 'QEMU_USAGE', message: /"a" has a value already/ });
});

test('names of members that every object inherits are names as any other', () => {
  assert.deepEqual(request('x', 'constructor.a=1', 'toString=2'), ['x', { constructor: { a: 1 }, toString: 2 }]);
  for (const words of [['__proto__=1'], ['__proto__.polluted=1'], ['a.__proto__.polluted=1']]) {
    assert.match(encodeJson(parseQmpRequest('x', words).args), /"__proto__":/);
  }
  assert.equal(Reflect.get({}, 'polluted'), undefined);
});

test('a command may be the JSON object that goes over the wire', () => {
  assert.deepEqual(request(' {"execute":"query-status","id":7}'), ['query-status', undefined]);
  assert.deepEqual(request('{"execute":"x","arguments":{"a":1,"n":18446744073709551615}}', 'b=2'), [
    'x',
    { a: 1, n: 18446744073709551615n, b: 2 },
  ]);
  for (const text of ['{', '{}', '{"execute":1}', '{"execute":"x","arguments":[]}', '{"execute":"x","args":{}}']) {
    assert.throws(() => request(text), { code: 'QEMU_USAGE' }, text);
  }
});

test('whatever is given, there is a request or a usage error', () => {
  fc.assert(
    fc.property(fc.string(), fc.array(fc.string()), (text, words) => {
      try {
        assert.equal(typeof parseQmpRequest(text, words.filter(isAssignment)).command, 'string');
      } catch (error) {
        assert.equal(Reflect.get(Object(error), 'code'), 'QEMU_USAGE');
      }
    }),
  );
});

test('a machine’s name is no assignment', () => {
  for (const word of ['web', '/a/web=1-qemu.cfg', './a=b', '', '=', '1=2'])
    assert.equal(isAssignment(word), false, word);
  for (const word of ['a=', 'a.b=c', 'a-b_c=1', '_x=1']) assert.equal(isAssignment(word), true, word);
});
