import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { VncConfig } from '../../../src/config/device-config.ts';
import { parseGood, problemsOf } from './support.ts';

function vncOf(value: string): VncConfig {
  return parseGood(`VNC=${value}\n`).vnc;
}

function tcp(host: string, display?: number, passwordFile?: string): VncConfig {
  return { kind: 'tcp', host, display, passwordFile };
}

suite('VNC', () => {
  test('on listens on 127.0.0.1 with the display of the slot', () => {
    assert.deepEqual(vncOf(''), tcp('127.0.0.1'));
    for (const value of ['on', 'ON', 'yes', '1']) assert.deepEqual(vncOf(value), tcp('127.0.0.1'), value);
  });

  test('off and unix listen on no port', () => {
    assert.deepEqual(vncOf('off'), { kind: 'off' });
    assert.deepEqual(vncOf('unix'), { kind: 'unix', passwordFile: undefined });
    assert.deepEqual(vncOf('unix,password=p'), { kind: 'unix', passwordFile: '/etc/qemu/p' });
  });

  test('an address may have a display number, and IPv6 stands in brackets', () => {
    assert.deepEqual(vncOf('127.0.0.1:7'), tcp('127.0.0.1', 7));
    assert.deepEqual(vncOf(':7'), tcp('127.0.0.1', 7));
    assert.deepEqual(vncOf('[::1]:3'), tcp('::1', 3));
    assert.deepEqual(vncOf('::1'), tcp('::1'));
    assert.deepEqual(vncOf('localhost'), tcp('localhost'));
  });

  test('a password may stand by itself or behind the address; commas in its file are doubled', () => {
    assert.deepEqual(vncOf('password=a,,b'), tcp('127.0.0.1', undefined, '/etc/qemu/a,b'));
    assert.deepEqual(vncOf('0.0.0.0:1,password=/p q'), tcp('0.0.0.0', 1, '/p q'));
    assert.deepEqual(vncOf('host.example:1,password=p'), tcp('host.example', 1, '/etc/qemu/p'));
  });

  test('an address that others can reach is refused without a password', () => {
    for (const value of ['0.0.0.0', '[::]:1', '192.0.2.1:0', 'host.example']) {
      assert.match(problemsOf(`VNC=${value}\n`)[0] ?? '', /is reachable from other hosts and has no password/, value);
    }
  });

  test('anything else is refused', () => {
    assert.deepEqual(problemsOf('VNC=5\n'), [
      '1: VNC must be on, off, unix, ADDRESS[:DISPLAY] or :DISPLAY, not "5" (did you mean ":5"?)',
    ]);
    for (const value of ['1.2.3', '[1.2.3.4]:1', '::1:x', ':', ':x', 'a b', '[::1', '127.0.0.1:', '-']) {
      assert.match(problemsOf(`VNC=${value}\n`)[0] ?? '', /^1: VNC must be on, off, unix, .*, not ".*"/, value);
    }
    assert.match(problemsOf('VNC=:59636\n')[0] ?? '', /display must be a number from 0 to 59635, not "59636"/);
    assert.deepEqual(problemsOf('VNC=off,password=x\n'), ['1: VNC is off but has a password']);
    assert.match(problemsOf('VNC=on,pasword=x\n')[0] ?? '', /did you mean "password"/);
  });
});
