import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lab, until } from '../support/lab.ts';

test('the helper of the page starts, stops and types, and undoes what the page no longer wants', async (t) => {
  const root = lab(t);
  root.add('web', 'STOPDELAY=120\n', { echo: true });
  root.add('deaf', 'STOPDELAY=120\n', { deaf: true });
  const helper = (request: object): ReturnType<typeof root.spawn> => {
    const running = root.spawn('qemu-init', ['web-control']);
    running.write(`${JSON.stringify(request)}\n`);
    return running;
  };
  const start = helper({ do: 'act', machine: 'web', action: 'start' });
  await start.waitForOutput(/"result":\{"text":"started in /);
  assert.equal((await start.result).code, 0);
  await until('the guest is up', () => root.console('web').includes('ready'));

  const console = helper({ do: 'console', machine: 'web' });
  await console.waitForOutput(/^\{"open":true\}\n/);
  const second = helper({ do: 'console', machine: 'web' });
  await second.waitForOutput(/"error":\{"code":"QEMU_LOCKED","message":"Another client/);
  console.write('hello');
  await console.waitForOutput(/HELLO/);
  console.child.stdin.end();
  assert.equal((await console.result).code, 0);

  const ended = helper({ do: 'console', machine: 'web' });
  await ended.waitForOutput(/^\{"open":true\}\n/);
  ended.child.kill('SIGTERM');
  await ended.result;

  await root.ok('start', 'deaf');
  const stop = helper({ do: 'act', machine: 'deaf', action: 'stop' });
  await stop.waitForOutput(/"step":\{"at":0/);
  stop.child.stdin.end();
  await stop.waitForOutput(/"error":\{"code":"QEMU_ABORTED"/);
  await stop.result;
  assert.equal(await root.state('deaf'), 'running');
  await root.ok('stop', '--force', 'web', 'deaf');
});
