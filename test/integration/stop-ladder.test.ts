import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import { lab, until } from '../support/lab.ts';
import { assertShape, DOCUMENTS } from '../support/shape.ts';

// They wait for the most part.
suite('stop', { concurrency: 5 }, () => {
  test('a guest that ignores the power button falls by quit after STOPDELAY, and --no-kill leaves it alone', async (t) => {
    const root = lab(t);
    root.add('web', 'STOPDELAY=1\nQGA=on\n', { deaf: true });
    await root.ok('start', 'web');
    await root.ok('wait', 'web', '--for', 'console=ready');
    const kept = await root.init('stop', 'web', '--no-kill', '--json');
    assert.equal(kept.code, 1);
    const [failure] = JSON.parse(kept.stdout);
    assert.equal(failure.outcome, 'failed');
    assertShape(failure.error, DOCUMENTS.error);
    assert.equal(failure.error.code, 'QEMU_STOP_FAILED');
    assert.equal(await root.state('web'), 'running');
    assert.equal((await root.init('stop', 'web', '--no-kill', '--force')).code, 2);

    const stopped = await root.one('stop', 'web');
    assert.equal(stopped['rung'], 'quit');
    assert.ok(Number(stopped['seconds']) >= 1);
    assert.deepEqual(root.leftovers(), []);
  });

  test('a guest that is not ready for the first press goes down by a later one', async (t) => {
    const root = lab(t);
    root.add('web', '', { presses: 2 });
    await root.ok('start', 'web');
    await root.ok('wait', 'web', '--for', 'console=ready');
    const stopped = await root.one('stop', 'web');
    assert.equal(stopped['rung'], 'powerdown');
    assert.ok(Number(stopped['seconds']) >= 10, 'the button is pressed again every ten seconds');
  });

  test('a QEMU that is frozen falls by SIGKILL, through every rung', async (t) => {
    const root = lab(t);
    root.add('web', 'STOPDELAY=1\n');
    const started = await root.one('start', 'web');
    process.kill(Number(started['pid']), 'SIGSTOP');
    const stop = root.spawn('qemu-init', ['stop', 'web', '--json']);
    for (const step of ['the power button', 'quit', 'SIGTERM']) {
      await until(
        `the step past "${step}" is told`,
        () => stop.stderr().includes(`still running after ${step}`),
        40_000,
      );
      // Looking at it does not wait for that.
      if (step !== 'SIGTERM') assert.equal(await root.state('web'), 'unresponsive');
    }
    const { code, stdout } = await stop.result;
    assert.equal(code, 0);
    assert.equal(JSON.parse(stdout)[0].rung, 'sigkill');
    assert.deepEqual(root.leftovers(), []);
  });

  test('a frozen QEMU is killed at once by kill, and --force begins at quit', async (t) => {
    const root = lab(t);
    root.add('web', 'STOPDELAY=600\n', { deaf: true });
    const started = await root.one('start', 'web');
    process.kill(Number(started['pid']), 'SIGSTOP');
    assert.equal((await root.one('kill', 'web'))['rung'], 'sigkill');
    await root.ok('start', 'web');
    assert.equal((await root.one('stop', 'web', '--force'))['rung'], 'quit');
  });

  test('several machines go down by BOOTORDER from the last to the first, within one deadline if asked', async (t) => {
    const root = lab(t);
    const note = (name: string): string =>
      `POSTSTOP=/bin/sh -c "echo ${name} >>order"\nPRECMD=/bin/sh -c "echo +${name} >>order"\n`;
    root.add('last', `BOOTORDER=90\n${note('last')}`);
    root.add('middle', `BOOTORDER=50\n${note('middle')}`);
    root.add('deaf', `BOOTORDER=10\nSTOPDELAY=600\n${note('deaf')}`, { deaf: true });
    await root.ok('start', '--all');
    for (const name of ['last', 'middle']) await root.ok('wait', name, '--for', 'console=ready');
    const stopped = await root.json('stop', '--all', '--deadline', '2');
    assert.deepEqual(
      stopped.map(({ name, rung }) => [name, rung]),
      [
        ['last', 'powerdown'],
        ['middle', 'powerdown'],
        ['deaf', 'quit'],
      ],
    );
    const order = readFileSync(`${root.etcDir}/order`, 'utf8').trim().split('\n');
    assert.deepEqual(order, ['+deaf', '+middle', '+last', 'last', 'middle', 'deaf']);
  });
});
