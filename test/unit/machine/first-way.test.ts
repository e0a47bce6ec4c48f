import assert from 'node:assert/strict';
import { test } from 'node:test';
import { QemuError } from '../../../src/base/errors.ts';
import { type Closable, openFirst, type Way } from '../../../src/machine/control/first-way.ts';

interface Door extends Closable {
  readonly name: string;
  readonly isClosed: () => boolean;
}

function door(name: string): Door {
  let closed = false;
  return {
    name,
    isClosed: () => closed,
    close: async () => {
      closed = true;
    },
  };
}

function way(name: string, open: Way<Door>['open']): Way<Door> {
  return { name, open };
}

const opens = (name: string): Way<Door> => way(name, async () => door(name));
const refuses = (name: string, code: 'QEMU_QMP_CONNECT' | 'QEMU_NOT_PERMITTED' = 'QEMU_QMP_CONNECT'): Way<Door> =>
  way(name, async () => {
    throw new QemuError(code, `${name} is shut`, {
      cause: Object.assign(new Error('x'), { code: 'ECONNREFUSED' }),
    });
  });
const isSilent = (name: string): Way<Door> =>
  way(name, (signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('over')))));

const OPTIONS = { timeoutMs: 5_000 };

test('the first way is taken when it opens, and the others are not tried', async () => {
  const never = way('never', () => assert.fail('it was tried'));
  const { value, passed, way: taken } = await openFirst('it', [opens('a'), never], OPTIONS);
  assert.deepEqual([value.name, taken, passed], ['a', 'a', []]);
});

test('a way that is refused, or silent, makes the next one be tried, and is named', async () => {
  const { way: taken, passed } = await openFirst('it', [refuses('a'), isSilent('b'), opens('c')], OPTIONS);
  assert.deepEqual([taken, passed], ['c', ['a: refused', 'b: no answer']]);
});

test('a way that opens after another was taken is closed again', async () => {
  let openLate: ((opened: Door) => void) | undefined;
  const late = door('late');
  const slow = way('slow', () => new Promise((resolve) => (openLate = resolve)));
  assert.equal((await openFirst('it', [slow, opens('b')], OPTIONS)).way, 'b');
  openLate?.(late);
  await new Promise(setImmediate);
  assert.ok(late.isClosed());
});

test('a way that is refused at first is tried again until the time is up', async () => {
  let turns = 0;
  const later = way('later', async () => {
    turns += 1;
    if (turns < 3) throw new QemuError('QEMU_QMP_CONNECT', 'not yet');
    return door('later');
  });
  assert.equal((await openFirst('it', [later], OPTIONS)).way, 'later');
});

test('when none opens in time the error says what kept each from it', async () => {
  await assert.rejects(openFirst('its doors', [refuses('a'), isSilent('b')], { timeoutMs: 100 }), {
    code: 'QEMU_TIMEOUT',
    message: 'Cannot reach its doors: a: refused; b: no answer',
  });
});

test('when no way will get better nobody waits for that', async () => {
  const ways = [refuses('a', 'QEMU_NOT_PERMITTED'), refuses('b', 'QEMU_NOT_PERMITTED')];
  await assert.rejects(openFirst('it', ways, { timeoutMs: 3_600_000 }), {
    code: 'QEMU_NOT_PERMITTED',
    message: 'a is shut',
  });
});

test('its signal ends it', async () => {
  const abort = new AbortController();
  const opening = openFirst('it', [isSilent('a')], { timeoutMs: 3_600_000, signal: abort.signal });
  abort.abort();
  await assert.rejects(opening, { code: 'QEMU_ABORTED' });
});
