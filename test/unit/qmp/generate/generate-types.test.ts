import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generateTypes } from '../../../../src/qmp/generate/generate-types.ts';

const BUILTINS = [
  { name: 'str', 'meta-type': 'builtin', 'json-type': 'string' },
  { name: 'int', 'meta-type': 'builtin', 'json-type': 'int' },
  { name: 'bool', 'meta-type': 'builtin', 'json-type': 'boolean' },
  { name: 'any', 'meta-type': 'builtin', 'json-type': 'value' },
  { name: 'null', 'meta-type': 'builtin', 'json-type': 'null' },
  { name: '0', 'meta-type': 'object', members: [] },
];

/** The generated declarations and map members, by their name. */
function generate(...entries: object[]): (name: string) => string {
  const text = generateTypes([...BUILTINS, ...entries], { version: '99.0' });
  return (name) => {
    const declaration = new RegExp(
      `(?:^/\\*\\*(?:(?!\\*/)[^])*\\*/\\n)?^export (?:type|interface) ${name} [^]*?(?=\\n\\n|$(?![^]))`,
      'm',
    );
    return (declaration.exec(text)?.[0] ?? `no ${name} in:\n${text}`).trimEnd();
  };
}

function command(name: string, argumentType: string, returnType: string, more: object = {}): object {
  return { name, 'meta-type': 'command', 'arg-type': argumentType, 'ret-type': returnType, ...more };
}

test('commands are sorted, and say what is deprecated, unstable and out of band', () => {
  const find = generate(
    command('stop', '0', '0'),
    command('b-old', '0', '0', { features: ['deprecated'] }),
    command('x-new', '0', 'str', { features: ['unstable'], 'allow-oob': true }),
  );
  assert.equal(
    find('QmpCommands'),
    `/** Commands with the types of their arguments and answers. */
export interface QmpCommands {
  /** @deprecated */
  'b-old': { arguments: NoArguments; returns: EmptyResult };
  stop: { arguments: NoArguments; returns: EmptyResult };
  /**
   * May be executed out of band.
   * @experimental
   */
  'x-new': { arguments: NoArguments; returns: string };
}`,
  );
});

test('types are named after their place, members with a default are optional', () => {
  const find = generate(
    command('query-thing', '1', '[2]'),
    { name: '[2]', 'meta-type': 'array', 'element-type': '2' },
    {
      name: '1',
      'meta-type': 'object',
      members: [
        { name: 'size', type: 'int' },
        { name: 'x-y', type: 'str', default: null, features: ['unstable'] },
      ],
    },
    {
      name: '2',
      'meta-type': 'object',
      members: [
        { name: 'io-status', type: '3', default: null },
        { name: 'size', type: 'int' },
      ],
    },
    { name: '3', 'meta-type': 'enum', values: ['ok', 'no-space'] },
  );
  assert.match(
    find('QmpCommands'),
    /'query-thing': \{ arguments: QueryThingArguments; returns: readonly QueryThingResult\[\] \};/,
  );
  assert.equal(
    find('QueryThingArguments'),
    `export interface QueryThingArguments {
  readonly size: number | bigint;
  /** @experimental */
  readonly 'x-y'?: string | undefined;
}`,
  );
  assert.equal(
    find('QueryThingResult'),
    `export interface QueryThingResult {
  readonly 'io-status'?: QueryThingResultIoStatus;
  readonly size: number;
}`,
  );
  assert.equal(
    find('QueryThingResultIoStatus'),
    "export type QueryThingResultIoStatus = 'ok' | 'no-space' | (string & {});",
  );
});

test('a type that is sent and received is closed in arguments and open in answers', () => {
  const find = generate(
    command('echo', '1', '1'),
    {
      name: '1',
      'meta-type': 'object',
      members: [{ name: 'mode', type: '2' }],
    },
    {
      name: '2',
      'meta-type': 'enum',
      members: [{ name: 'a' }, { name: 'b', features: ['deprecated'] }],
      values: ['a', 'b'],
    },
  );
  assert.equal(find('EchoArgumentsMode'), "/** Deprecated: `b`. */\nexport type EchoArgumentsMode = 'a' | 'b';");
  assert.equal(
    find('EchoResultMode'),
    "/** Deprecated: `b`. */\nexport type EchoResultMode = 'a' | 'b' | (string & {});",
  );
});

test('an object with a tag is a union, with values of the tag that add nothing and, in answers, values to come', () => {
  const union = {
    name: '1',
    'meta-type': 'object',
    members: [
      { name: 'type', type: '2' },
      { name: 'id', type: 'str' },
    ],
    tag: 'type',
    variants: [
      { case: 'a', type: '3' },
      { case: 'b', type: '0' },
    ],
  };
  const find = generate(
    command('thing', '1', '1'),
    union,
    { name: '2', 'meta-type': 'enum', values: ['a', 'b', 'c'] },
    { name: '3', 'meta-type': 'object', members: [{ name: 'path', type: 'str' }] },
  );
  assert.equal(find('ThingArgumentsBase'), 'export interface ThingArgumentsBase {\n  readonly id: string;\n}');
  assert.equal(
    find('ThingArguments'),
    `export type ThingArguments = ThingArgumentsBase &
  (({ readonly type: 'a' } & ThingArgumentsA) | { readonly type: 'b' } | { readonly type: 'c' });`,
  );
  assert.match(find('ThingResult'), /\| \{ readonly type: OtherValue \}/);
});

test('an alternate is a union, and a type may hold itself', () => {
  const find = generate(
    command('add', '1', '0'),
    { name: '1', 'meta-type': 'object', members: [{ name: 'file', type: '2' }] },
    { name: '2', 'meta-type': 'alternate', members: [{ type: 'str' }, { type: '1' }, { type: 'null' }] },
  );
  assert.equal(find('AddArgumentsFile'), 'export type AddArgumentsFile = string | AddArguments | null;');
});

test('events get the types of their data', () => {
  const find = generate(
    { name: 'BLOCK_JOB_READY', 'meta-type': 'event', 'arg-type': '1' },
    { name: 'STOP', 'meta-type': 'event', 'arg-type': '0' },
    { name: '1', 'meta-type': 'object', members: [{ name: 'device', type: 'str' }] },
  );
  assert.match(find('QmpEvents'), /BLOCK_JOB_READY: BlockJobReadyEvent;\n {2}STOP: EmptyResult;/);
  assert.match(find('BlockJobReadyEvent'), /readonly device: string;/);
});

test('two places that would give one name get numbers', () => {
  const object = (name: string): object => ({ name, 'meta-type': 'object', members: [{ name: 'n', type: 'int' }] });
  const find = generate(command('a-b', '1', '0'), command('a_b', '2', '0'), object('1'), object('2'));
  assert.match(find('QmpCommands'), /'a-b': \{ arguments: ABArguments;/);
  assert.match(find('QmpCommands'), /a_b: \{ arguments: ABArguments2;/);
});

test('kinds of entries that a later QEMU may have are left out', () => {
  const find = generate(command('stop', '0', '0'), { name: 'x', 'meta-type': 'novelty' });
  assert.match(find('QmpCommands'), /stop/);
});

for (const answer of [
  {},
  [1],
  [{ name: 5 }],
  [command('a', 'missing', '0')],
  [{ ...command('a', '0', '0'), 'arg-type': 5 }],
]) {
  test(`${JSON.stringify(answer)} is no schema`, () => {
    assert.throws(() => generateTypes(answer, { version: '1' }), { code: 'QEMU_QMP_PROTOCOL' });
  });
}
