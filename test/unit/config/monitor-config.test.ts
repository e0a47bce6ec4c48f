import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { parseMonitorConfig } from '../../../src/config/monitor-config.ts';
import { formatIssue } from '../../../src/config/text/issues.ts';

function problemsOf(text: string): string[] {
  const { config, issues } = parseMonitorConfig(text, '/m');
  assert.equal(config, undefined);
  return issues.map(formatIssue);
}

suite('monitor.conf', () => {
  test('has its defaults when it is empty', () => {
    assert.deepEqual(parseMonitorConfig('MONPORT=\n', '/m'), {
      config: { monitorPort: 30320, monitor: 'tcp', tls: 'psk', vncDisplay: 0 },
      issues: [],
    });
  });

  test('takes all its keys', () => {
    assert.deepEqual(parseMonitorConfig('MONPORT=65335\nMONITOR=Off\nTLS="off"\nVNCDISPLAY=100\n', '/m').config, {
      monitorPort: 65335,
      monitor: 'off',
      tls: 'off',
      vncDisplay: 100,
    });
  });

  test('everything wrong is reported at once', () => {
    assert.deepEqual(problemsOf('MONPORT=65336\nMONITOR=unix\nTLS=yes\nVNCDISPLAY=-1\nMONPRT=1\n[custom]\n'), [
      '/m:1: MONPORT "65336" is not allowed; allowed are whole numbers from 1 to 65335',
      '/m:2: MONITOR "unix" is not allowed; allowed are tcp, off',
      '/m:3: TLS "yes" is not allowed; allowed are psk, off',
      '/m:4: VNCDISPLAY "-1" is not allowed; allowed are whole numbers from 0 to 59635',
      '/m:5: Unknown key "MONPRT" (did you mean "MONPORT"?)',
      '/m:6: Unknown section "[custom]" (this file has no sections)',
    ]);
  });

  test('no text makes it throw', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void parseMonitorConfig(text, '/m')));
  });
});
