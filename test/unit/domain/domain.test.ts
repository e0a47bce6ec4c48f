import assert from 'node:assert/strict';
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, isAbsolute } from 'node:path';
import { type TestContext, test } from 'node:test';
import { FakeRefusal, NO_ANSWER } from '../../../src/testing/index.ts';
import { fakeDomain } from './support.ts';

test('every run state passes through, one that is not known as well', async (t) => {
  let status = 'colo';
  const { domain } = await fakeDomain(t, { 'query-status': () => ({ status, running: false }) });
  assert.equal(await domain.status(), 'colo');
  status = 'state-of-the-year-2040';
  assert.equal(await domain.status(), 'state-of-the-year-2040');
});

test('the versions are those of the greeting, without a command', async (t) => {
  const { domain, fake } = await fakeDomain(t);
  assert.equal(domain.version(), '7.2.22');
  assert.equal(domain.packageVersion(), 'Debian 1:7.2+dfsg-7+deb12u18+b3');
  assert.deepEqual(
    fake.calls.map(({ name }) => name),
    ['qmp_capabilities'],
  );
});

test('the list of commands is asked for once, and again after a failure', async (t) => {
  let isBroken = true;
  const { domain, fake } = await fakeDomain(t, {
    'query-commands': () => {
      if (isBroken) throw new FakeRefusal('GenericError', 'not now');
      return [{ name: 'job-complete' }, { name: 'quit' }];
    },
  });
  await assert.rejects(domain.supported('quit'), { code: 'QEMU_QMP_REFUSED' });
  isBroken = false;
  assert.equal(await domain.supported('quit'), true);
  assert.equal(await domain.supported('no-such-command'), false);
  assert.deepEqual(await domain.commands(), ['job-complete', 'quit']);
  assert.equal(fake.calls.filter(({ name }) => name === 'query-commands').length, 2);
});

test('a refusal keeps class, description and command', async (t) => {
  const { domain } = await fakeDomain(t);
  await assert.rejects(domain.run('nope'), {
    code: 'QEMU_QMP_REFUSED',
    errorClass: 'CommandNotFound',
    desc: 'The command nope has not been found',
    command: 'nope',
  });
});

test('every question has a deadline and a signal', async (t) => {
  const silent = { 'query-block': () => NO_ANSWER, 'query-pci': () => NO_ANSWER };
  const { domain } = await fakeDomain(t, silent);
  await assert.rejects(domain.blockDevices({ timeoutMs: 1 }), { code: 'QEMU_TIMEOUT' });
  await assert.rejects(domain.pciDevices({ signal: AbortSignal.abort() }), { code: 'QEMU_ABORTED' });
});

test('closing ends subscriptions and calls, and may be done twice', async (t) => {
  const { domain } = await fakeDomain(t, { 'query-block': () => NO_ANSWER });
  const events = domain.events('STOP');
  const call = assert.rejects(domain.blockDevices(), { code: 'QEMU_QMP_CLOSED' });
  await domain.close();
  await domain.close();
  await call;
  assert.equal((await events.next()).done, true);
  await assert.rejects(domain.status(), { code: 'QEMU_QMP_STATE' });
});

const PPM = Buffer.from('P6\n1 1\n255\nabc');

function screens(): string[] {
  return readdirSync(tmpdir()).filter((name) => name.startsWith('qemu-init-screen-'));
}

async function pictureDomain(t: TestContext, paint: (filename: string) => void) {
  return fakeDomain(t, {
    screendump: ({ args }) => {
      paint(String(args['filename']));
      return {};
    },
  });
}

test('a screen dump is written to an absolute path that others cannot list, and leaves nothing', async (t) => {
  const before = screens();
  let folder = '';
  const { domain, fake } = await pictureDomain(t, (filename) => {
    folder = dirname(filename);
    assert.ok(isAbsolute(filename));
    // Another user, as which root may have started QEMU, gets no further than to the file itself.
    assert.equal(statSync(folder).mode & 0o066, 0);
    writeFileSync(filename, PPM);
  });
  assert.deepEqual(await domain.screenDump({ format: 'ppm' }), PPM);
  assert.equal(fake.calls.at(-1)?.args['format'], undefined);
  assert.equal(existsSync(folder), false);
  assert.deepEqual(screens(), before);
});

test('a screen dump that is refused leaves nothing', async (t) => {
  const before = screens();
  const { domain } = await pictureDomain(t, () => {
    throw new FakeRefusal('GenericError', 'no display');
  });
  await assert.rejects(domain.screenDump({ format: 'ppm' }), { code: 'QEMU_QMP_REFUSED' });
  assert.deepEqual(screens(), before);
});

test('events are typed by their names, and one can be waited for', async (t) => {
  const { domain, fake } = await fakeDomain(t, {});
  const events = domain.events('SHUTDOWN');
  const waited = domain.waitForEvent(['STOP', 'SHUTDOWN'], { guest: true }, { timeoutMs: 10_000 });
  fake.connections[0]?.sendEvent('SHUTDOWN', { guest: true, reason: 'guest-shutdown' });
  const { value } = await events.next();
  const reason: string | undefined = value?.data.reason;
  assert.equal(reason, 'guest-shutdown');
  assert.equal((await waited).event, 'SHUTDOWN');
});
