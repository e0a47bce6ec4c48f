import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lab } from '../support/lab.ts';

test('start without a machine is a usage error where nobody can answer', async (t) => {
  const root = lab(t);
  root.add('web');
  const refused = await root.init('start');
  assert.equal(refused.code, 2);
  assert.equal(refused.stdout, '');
  assert.match(refused.stderr, /No machine was given/);
  assert.deepEqual(root.qemus(), []);
});

test('start without a machine asks on a terminal, and takes a number or a name', async (t) => {
  const root = lab(t);
  root.add('db');
  root.add('web');
  for (const [answer, expected] of [
    ['2', 'web'],
    ['db', 'db'],
  ] as const) {
    const asked = root.spawn('qemu-init', ['start'], { tty: true });
    await asked.waitForOutput('Which machine?');
    assert.match(asked.stdout(), answer === '2' ? /1 {2}db\s+2 {2}web/ : /1 {2}db\s+2 {2}web {2}\(running\)/);
    asked.write(`${answer}\r`);
    assert.equal((await asked.result).code, 0);
    assert.equal(await root.state(expected), 'running');
  }
  await root.ok('kill', '--all');
});

test('an answer that names no machine, an empty one and Ctrl-C start nothing', async (t) => {
  const root = lab(t);
  root.add('web');
  for (const [answer, code] of [
    ['7\r', 6],
    ['nobody\r', 6],
    ['\r', 2],
    ['\x04', 2],
    ['\x03', 130],
  ] as const) {
    const asked = root.spawn('qemu-init', ['start'], { tty: true });
    await asked.waitForOutput('Which machine?');
    asked.write(answer);
    const result = await asked.result;
    assert.equal(result.code, code, `${JSON.stringify(answer)}: ${result.stdout}`);
    assert.doesNotMatch(result.stdout, /Internal error/);
    // Neither Ctrl-D nor Ctrl-C ends the line of the question.
    assert.ok(!result.stdout.split('\n').some((line) => /none\).*qemu-init: /.test(line)), result.stdout);
  }
  assert.deepEqual(root.qemus(), []);
});
