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
      '/m:1: MONPORT must be a whole number from 1 to 65335, not "65336"',
      '/m:2: MONITOR must be tcp or off, not "unix"',
      '/m:3: TLS must be psk or off, not "yes"',
      '/m:4: VNCDISPLAY must be a whole number from 0 to 59635, not "-1"',
      '/m:5: Unknown key "MONPRT" (did you mean "MONPORT"?)',
      '/m:6: Unknown section "[custom]" (this file has no sections)',
    ]);
  });

  test('no text makes it throw', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void parseMonitorConfig(text, '/m')));
  });
});
