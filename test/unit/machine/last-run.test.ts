import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeEnd, endInLog, isBadEnd } from '../../../src/machine/run/last-run.ts';
import { resetInLog } from '../../../src/machine/run/run-files.ts';

const STARTED = '2026-01-02T03:04:05.000Z';
const BEGAN = Date.parse(STARTED) / 1000;

function line(afterSeconds: number, reason: number): string {
  return `4394@${(BEGAN + afterSeconds).toFixed(6)}:qemu_system_shutdown_request reason=${reason}\n`;
}

test('the reason in the log is told by the words of QMP', () => {
  const causes = [1, 2, 4, 5, 6, 7, 8].map((reason) => endInLog(line(1, reason), STARTED)?.cause);
  assert.deepEqual(causes, [
    'host-error',
    'quit',
    'signal',
    'window-closed',
    'guest-shutdown',
    'guest-reset',
    'guest-panic',
  ]);
});

test('the last request of this run counts, with its time', () => {
  const log = `${line(-10, 8)}some text\n${line(2, 4)}2026-01-02T03:04:09Z qemu: words\n${line(4.5, 6)}`;
  assert.deepEqual(endInLog(log, STARTED), { cause: 'guest-shutdown', at: '2026-01-02T03:04:09.500Z' });
});

test('a signal is told by its own line, and counts in the order of time', () => {
  const signal = '2026-01-02T03:04:09.250000Z qemu-system-x86_64: terminating on signal 15 from pid 1 (/sbin/init)\n';
  assert.deepEqual(endInLog(line(1, 6) + signal, STARTED), { cause: 'signal', at: '2026-01-02T03:04:09.250Z' });
  assert.equal(endInLog(signal + line(5, 2), STARTED)?.cause, 'quit');
});

test('SIGKILL of ours is told by a line of ours', () => {
  const kill = '2026-01-02T03:04:09.250Z qemu-init: ends QEMU with SIGKILL\n';
  assert.deepEqual(endInLog(line(1, 6) + kill, STARTED), { cause: 'kill', at: '2026-01-02T03:04:09.250Z' });
  assert.equal(endInLog(`x ${kill}`, STARTED), undefined);
});

test('quit of a QEMU whose guest was down is the end that the guest made, unless it was reset in between', () => {
  const reset = `4394@${(BEGAN + 2).toFixed(6)}:ps2_kbd_reset 0x1\n`;
  assert.equal(endInLog(line(1, 6) + line(3, 2), STARTED)?.cause, 'guest-shutdown');
  assert.equal(endInLog(line(1, 6) + reset + line(3, 2), STARTED)?.cause, 'quit');
});

test('requests of an earlier run, resets and lines cut in half are no end', () => {
  assert.equal(endInLog(line(-1, 6), STARTED), undefined);
  assert.equal(endInLog(line(1, 3) + line(2, 9) + line(3, 10) + line(4, 99), STARTED), undefined);
  assert.equal(endInLog('', STARTED), undefined);
  assert.equal(endInLog(`${line(1, 6).slice(0, -3)}`, STARTED), undefined);
  assert.equal(endInLog(`x ${line(1, 6)}`, STARTED), undefined);
});

test('what nobody wanted is told apart, and the signal is named', () => {
  const end = { at: STARTED, exit: undefined, lastReset: undefined, crash: undefined };
  assert.equal(isBadEnd({ ...end, cause: 'guest-shutdown' }), false);
  assert.equal(isBadEnd({ ...end, cause: 'guest-panic', exit: 'exit status 1' }), true);
  assert.equal(describeEnd({ ...end, cause: 'killed', exit: 'SIGSEGV' }), 'QEMU crashed or was killed (SIGSEGV)');
  assert.equal(
    describeEnd({ ...end, cause: 'quit', exit: 'exit status 0' }),
    'QEMU was asked to quit before the guest had switched the machine off',
  );
  assert.equal(
    describeEnd({ ...end, cause: 'quit', lastReset: STARTED }),
    `QEMU was asked to quit before the guest had switched the machine off; it had been reset, last ${STARTED}`,
  );
});

test('the last reset of this run is told by its time, of no other run and of no broken line', () => {
  const reset = (afterSeconds: number): string =>
    `26003@${(BEGAN + afterSeconds).toFixed(6)}:ps2_kbd_reset 0x564123b12320\n`;
  assert.equal(resetInLog(`${reset(-1)}${reset(2)}${reset(2.5)}${line(3, 6)}`, STARTED), '2026-01-02T03:04:07.500Z');
  assert.equal(resetInLog(reset(-1), STARTED), undefined);
  assert.equal(resetInLog(`x ${reset(1)}1@${'9'.repeat(40)}.0:ps2_kbd_reset 0x1\n`, STARTED), undefined);
});

test('a time that is no date is passed over', () => {
  assert.equal(endInLog(`1@${'9'.repeat(40)}.0:qemu_system_shutdown_request reason=6\n`, STARTED), undefined);
});
