import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseGoal } from '../../../src/machine/observe/wait.ts';

test('goals are read from text', () => {
  assert.deepEqual(parseGoal('running'), { kind: 'running' });
  assert.deepEqual(parseGoal('stopped'), { kind: 'stopped' });
  assert.deepEqual(parseGoal('port=22'), { kind: 'port', host: '127.0.0.1', port: 22 });
  assert.deepEqual(parseGoal('port=10.0.0.7:8080'), { kind: 'port', host: '10.0.0.7', port: 8080 });
  assert.deepEqual(parseGoal('port=[::1]:22'), { kind: 'port', host: '::1', port: 22 });
  assert.deepEqual(parseGoal('port=web.example:65535'), { kind: 'port', host: 'web.example', port: 65535 });
  assert.deepEqual(parseGoal('console=a=b\nc'), { kind: 'console', pattern: /a=b\nc/m });
});

test('anything else is no goal', () => {
  const texts = [
    '',
    'Running',
    'started',
    'port=',
    'port=0',
    'port=65536',
    'port=999999',
    'port=x',
    'port=:22',
    'port=-1',
  ];
  for (const text of [...texts, 'console=', 'console=(', 'console', 'x=1'])
    assert.equal(parseGoal(text), undefined, text);
});
