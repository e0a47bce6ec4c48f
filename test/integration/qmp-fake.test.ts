import assert from 'node:assert/strict';
import type { Duplex } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { FakeQmpServer } from '../../src/testing/index.ts';
import { spawnQemu } from './qmp-monitor.ts';

/** After `oob` was enabled, which is done by what comes first. */
const INPUT = [
  '{"execute":"query-status"}',
  '{"execute":"qmp_capabilities","arguments":{"enable":["zzz"]}}',
  '{"execute":"qmp_capabilities","arguments":{"enable":["oob"]},"id":1}',
  '{"execute":"qmp_capabilities","id":2}',
  '{"execute":"query-status","id":3}',
  '{"execute":"query-version","id":"hé 😀 / \\u007f \\u0000 \\u001f \\b\\f\\n\\r\\t \\" \\\\ < > \' \\u2028"}',
  '{"execute":"query-name","id":null}',
  '{"execute":"query-uuid","id":{"a":[1,1e3,1.5,0.1,null,true,18446744073709551615,-1,18446744073709551616,1e-7]}}',
  '{"execute":"nope","id":6}',
  '{"execute":"query-status","arguments":{"x":1},"id":7}',
  '{"execute":"human-monitor-command","id":8}',
  '{"execute":"human-monitor-command","arguments":{"command-line":5},"id":9}',
  '{"execute":"query-status","foo":1,"id":10}',
  '{"id":11}',
  '[1]',
  '5',
  'true',
  '"abc"',
  '{"execute": }',
  '}',
  '\u0001',
  '{"execute":"query-status","id":"\\ud800"}',
  '{"execute":5,"id":12}',
  '{"execute":"query-status","arguments":5,"id":13}',
  '{"execute":"query-status","id":31,"arguments":null}',
  '{"exec-oob":"query-status","id":14}',
  '{"exec-oob":"nope","id":15}',
  '{"execute":"query-status","exec-oob":"query-status","id":16}',
  '{"control":{"run-oob":true},"execute":"query-status","id":17}',
  '{"execute":"query-status","id":18\n}{"execute":"query-block","id":19}{"execute":"query-jobs","id":20}',
  '{"execute":"query-cpus-fast"}',
  '{"execute":"human-monitor-command","arguments":{"command-line":"info status"},"id":21}',
  '{"execute":"human-monitor-command","arguments":{"command-line":"nope"},"id":22}',
  '{"execute":"human-monitor-command","arguments":{"command-line":""},"id":23}',
  '{"execute":"cont","id":24}',
  '{"execute":"cont","id":25}',
  '{"execute":"human-monitor-command","arguments":{"command-line":"info status"},"id":26}',
  '{"execute":"stop","id":27}',
  '{"execute":"stop","id":28}',
  '{"execute":"query-status","id":29}',
  '{"execute":"system_powerdown","id":30}',
  '{"execute":"system_reset","id":31}',
  '{"execute":"query-status","id":32}',
  '{"execute":"cont","id":33}',
  '{"execute":"system_reset","id":34}',
  '{"execute":"query-status","id":35}',
  '{"execute":"toString","id":36}',
  '{"execute":"__proto__","id":37}',
  '{"execute":"constructor"}',
  '{"exec-oob":"toString","id":38}',
  '{"execute":"query-name","arguments":[],"id":39}',
  '{"execute":"query-name","execute":"query-name"}',
  '{"execute":"query-name","id":{"a":1,"a":2}}',
  '{"execute":"query-name","id":{"__proto__":{"toString":1},"b":[true,false,null,1.25]}}',
  `{'execute':'query-name','id':'it\\'s'}`,
  `{'execute':'query-name','id':'a"b'}`,
  `{"execute":"query-name","id":"\\'"}`,
  '{"execute":"query-name","id":"\\x"}',
  '{"execute":"query-name","id":"\\u12"}',
  '{"execute":"query-name","id":"\\ud800\\u0041"}',
  '{"execute":"query-name","id":"\\ufffe"}',
  '{"execute":"query-name","id":01}',
  '{"execute":"query-name","id":[-0,1.0,1e400,-1e400,-9223372036854775808,123456789.123456789]}',
  '{"execute":"query-name","id":-x}',
  '{"execute":"query-name","id":1.}',
  '{"execute":"query-name","id":1e+}',
  '{"execute":"query-name","id":1x}',
  '{"execute":"query-name","id":tru}',
  '{"execute":"query-name","id":nul1}',
  '{"execute":"query-name","id":[1,2,]}',
  '{"execute":"query-name","id":[1 2]}',
  '{"execute":"query-name",}',
  '{"execute" "query-name"}',
  '{execute:"query-name"}',
  '{1:2}',
  '{"execute":"query-name" "id":1}',
  '{}',
  ']',
  '[}',
  '{]',
  '%d',
  '{"execute":"query-name","id":%d}',
  '#',
  '{"execute":"query-name","id":40}#',
  'nope',
  'abc{"execute":"query-name","id":41}',
  '\ufeff{"execute":"query-name","id":42}',
  '{"execute":"query-name","id":"a\tb"}',
  '{"execute":"query-name","id":"a\nb"}',
  '{"execute":"","id":43}',
  '{"execute":"que\\"ry","id":44}',
  '{"execute":"é","id":45}',
  '{"execute":"query-name","arguments":{"x":1},"id":46}',
  '{"execute":"stop","arguments":{"x":1},"id":47}',
  '{"execute":"human-monitor-command","arguments":{"command-line":"","x":1},"id":48}',
  '{"execute":"human-monitor-command","arguments":{"command-line":"","cpu-index":"x"},"id":49}',
  '{"exec-oob":"query-yank","foo":1,"id":50}',
  `${'['.repeat(1024)}${']'.repeat(1024)}`,
  `${'['.repeat(1030)}${']'.repeat(1030)}`,
];

/** Before any capability was enabled. */
const RAW_INPUT = [
  '{"exec-oob":"query-yank","id":1}',
  '{"exec-oob":5,"id":2}',
  '{"exec-oob":"qmp_capabilities","id":3}',
  '{"execute":"query-name","exec-oob":"x","id":4}',
  '{"execute":"toString","id":5}',
  '{"execute":"qmp_capabilities","arguments":{"enable":"oob"},"id":6}',
  '{"execute":"qmp_capabilities","arguments":{"enable":[1]},"id":7}',
  '{"execute":"qmp_capabilities","arguments":{"x":[1]},"id":8}',
  '{"execute":"qmp_capabilities","arguments":{"enable":[]},"id":9}',
  '{"exec-oob":"query-yank","id":10}',
];

for (const [when, input] of [
  ['with oob enabled', INPUT],
  ['without oob', RAW_INPUT],
] as const) {
  test(`the fake server answers byte for byte as QEMU 7.2 does, ${when}`, (t) => compare(t, input));
}

async function compare(t: TestContext, input: readonly string[]): Promise<void> {
  const args = ['-machine', 'none', '-S', '-chardev', 'socket,id=mon,fd=3', '-mon', 'chardev=mon,mode=control'];
  const child = spawnQemu(t, args, ['ignore', 'ignore', 'ignore', 'pipe']);
  const real = await talk(child.stdio[3] as Duplex, input);
  const version = /"micro": (\d+), "minor": 2, "major": 7}, "package": "([^"]*)"/.exec(real);
  assert.ok(version !== null, 'this is QEMU 7.2');

  await using fake = await FakeQmpServer.start();
  const faked = await talk(fake.openStream(), input);
  const expected = lines(real);
  for (const [n, line] of lines(faked).entries()) assert.equal(line, expected[n]);
  assert.equal(lines(faked).length, expected.length);
}

/** Sends the input line by line, each after the answer to the one before, and returns everything that came back. */
async function talk(stream: Duplex, input: readonly string[]): Promise<string> {
  let text = '';
  const chunks = stream[Symbol.asyncIterator]();
  const readUntil = async (end: string): Promise<void> => {
    while (!text.includes(end)) {
      const { done, value } = await chunks.next();
      assert.notEqual(done, true);
      text += value;
    }
  };
  for (const [n, line] of input.entries()) {
    stream.write(`${line}\n{"execute":"query-name","id":"after ${n}"}\n`);
    await readUntil(`"after ${n}"`);
  }
  stream.write('{"execute":"quit","id":"last"}\n');
  await readUntil('"last"}\r\n');
  return text;
}

/** Without what differs from run to run and from one build of 7.2 to the next. */
function lines(text: string): string[] {
  return text
    .replaceAll(/"seconds": \d+, "microseconds": \d+/g, '"seconds": 0, "microseconds": 0')
    .replaceAll(/"micro": \d+/g, '"micro": 0')
    .replaceAll(/"package": "[^"]*"/g, '"package": ""')
    .split('\r\n');
}
