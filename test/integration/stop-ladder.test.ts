import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { assertError } from '../support/documents.ts';
import { lab, until } from '../support/lab.ts';

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
    assert.equal(failure.rung, 'none');
    assert.ok(failure.seconds >= 1, String(failure.seconds));
    assertError(failure.error);
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
    for (const text of [
      /the power button could not be pressed: .*no answer/,
      /quit could not be sent: .*no answer/,
      /still running after SIGTERM/,
    ]) {
      await until(`the next step is told: ${text}`, () => text.test(stop.stderr()), 40_000);
      // Looking at it does not wait for that.
      if (!text.source.includes('SIGTERM')) assert.equal(await root.state('web'), 'unresponsive');
    }
    const { code, stdout } = await stop.result;
    assert.equal(code, 0);
    assert.equal(JSON.parse(stdout)[0].rung, 'sigkill');
    assert.equal(Object((await root.one('status', 'web'))['lastEnd']).cause, 'kill');
    assert.deepEqual(root.leftovers(), []);
  });

  test('a frozen QEMU is killed at once by kill, and --force begins at quit', async (t) => {
    const root = lab(t);
    root.add('web', 'STOPDELAY=600\n', { deaf: true });
    const started = await root.one('start', 'web');
    process.kill(Number(started['pid']), 'SIGSTOP');
    assert.equal((await root.one('kill', 'web'))['rung'], 'sigkill');
    const { stderr } = await root.init('status', 'web');
    assert.match(stderr, /^web: qemu-init ended QEMU with SIGKILL, .*, (just now|\d+ s ago)$/m);
    assert.doesNotMatch(stderr, /crashed/);
    await root.ok('start', 'web');
    assert.equal((await root.one('stop', 'web', '--force'))['rung'], 'quit');
  });

  test('kill is told as such, too, when a stop is busy with the machine', async (t) => {
    const root = lab(t);
    root.add('web', 'STOPDELAY=600\n', { deaf: true });
    await root.ok('start', 'web');
    const stop = root.spawn('qemu-init', ['stop', 'web', '--verbose']);
    await until('the stop has begun', () => stop.stderr().includes('web: the power button'));
    assert.equal((await root.one('kill', 'web'))['rung'], 'sigkill');
    assert.equal((await stop.result).code, 0);
    assert.equal(Object((await root.one('status', 'web'))['lastEnd']).cause, 'kill');
  });

  test('--verbose tells the steps of a start and a stop, --debug also what is run and sent', async (t) => {
    const root = lab(t);
    root.ownPorts();
    root.add('web', 'KVM=off\nSTOPMETHOD=agent\nQGA=on\nPRECMD=/bin/true\n', { deaf: true });
    const started = await root.init('start', 'web', '--verbose');
    for (const step of [
      /^web: KVM=off: the guest runs under TCG$/m,
      /^web: PRECMD: \/bin\/true$/m,
      /^web: slot 0, ports \d+ and \d+$/m,
      /^web: QEMU is process \d+$/m,
      /^web: QEMU answers after [\d.]+ s$/m,
    ]) {
      assert.match(started.stderr, step);
    }
    assert.doesNotMatch(started.stderr, /-pidfile/);
    const stopped = await root.init('stop', 'web', '--verbose', '--timeout', '1');
    assert.match(stopped.stderr, /^web: the guest agent \(1 s\) for process \d+$/m);
    assert.match(stopped.stderr, /^web: still running after the guest agent \(1 s\)$/m);
    assert.match(stopped.stderr, /^web: quit \(15 s\) for process \d+$/m);
    assert.doesNotMatch(stopped.stderr, /QMP/);
    const again = await root.init('start', 'web', '--debug');
    assert.match(again.stderr, /^web: \/\S*qemu-system-x86_64 .* -pidfile /m);
    assert.match((await root.init('stop', 'web', '--debug', '--force')).stderr, /^web: QMP quit$/m);
    // By default there is nothing to be told.
    assert.equal((await root.init('start', 'web')).stderr, '');
    assert.equal((await root.init('kill', 'web')).stderr, '');
  });

  test('a file that is broken or gone while its machine runs costs the guest neither its time nor its hooks', async (t) => {
    const root = lab(t);
    const note = (name: string): string => `PRESTOP=/bin/sh -c "echo ${name} $PWD >>order"\n`;
    const broken = root.add('broken', `STOPDELAY=1\nBOOTORDER=10\n${note('broken')}`, { deaf: true });
    const gone = root.add('gone', `STOPDELAY=1\nBOOTORDER=20\n${note('gone')}`, { deaf: true });
    await root.ok('start', '--all');
    appendFileSync(broken, 'RAM=lots\n');
    rmSync(gone);
    const began = performance.now();
    const { code, stdout, stderr } = await root.init('stop', '--all');
    assert.equal(code, 0, stderr);
    for (const name of ['broken', 'gone']) {
      assert.match(stdout, new RegExp(`^${name}: stopped by quit`, 'm'));
      assert.match(stderr, new RegExp(`^.*${name}: .*cannot be used: .* of the last start$`, 'm'));
    }
    // With the default STOPDELAY each would have had a minute.
    assert.ok(performance.now() - began < 40_000);
    const dir = root.etcDir;
    assert.equal(readFileSync(join(dir, 'order'), 'utf8'), `gone ${dir}\nbroken ${dir}\n`);
    assert.deepEqual(root.leftovers(), []);
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

  test('hooks, and other commands, count in the deadline of a stop', async (t) => {
    const root = lab(t);
    const slow = '/bin/sh -c "sleep 40"';
    root.add('hooked', `STOPDELAY=600\nPRESTOP=${slow}\nPOSTSTOP=${slow}\n`);
    root.add('busy', 'STOPDELAY=600\n', { deaf: true });
    await root.ok('start', '--all');
    await root.ok('wait', 'hooked', '--for', 'console=ready');
    const patient = root.spawn('qemu-init', ['stop', 'busy', '--verbose']);
    await until('another stop has begun', () => patient.stderr().includes('busy: the power button'));
    const { code, stdout, stderr } = await root.init('stop', '--all', '--deadline', '4', '--json');
    assert.equal(code, 0, stderr);
    const [hooked, busy] = JSON.parse(stdout);
    assert.deepEqual([hooked.rung, busy.rung], ['powerdown', 'quit']);
    assert.match(stderr, /hooked: warning: PRESTOP failed: Program .* did not end within [12]/);
    assert.match(stderr, /hooked: warning: POSTSTOP failed: Program .* did not end within [23]/);
    for (const { seconds } of [hooked, busy]) assert.ok(seconds < 20, `${seconds}`);
    assert.equal((await patient.result).code, 0);
    assert.deepEqual(root.leftovers(), []);
  });
});
