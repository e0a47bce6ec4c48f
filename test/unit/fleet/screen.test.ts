import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accessTo } from '../../../src/fleet/screen.ts';

const TCP = { host: '127.0.0.1', display: 3, port: 5903 };

test('a TCP server is viewed on this host, and elsewhere through a tunnel', () => {
  assert.deepEqual(accessTo(TCP, 'root@host'), {
    ...TCP,
    socket: undefined,
    tunnel: 'ssh -N -L 5903:127.0.0.1:5903 root@host',
    viewer: 'vnc://127.0.0.1:5903',
  });
  assert.equal(accessTo({ ...TCP, host: '::1' }, 'u@h').viewer, 'vnc://[::1]:5903');
  assert.equal(accessTo({ ...TCP, host: '::1' }, 'u@h').tunnel, "ssh -N -L '5903:[::1]:5903' u@h");
  assert.equal(accessTo({ ...TCP, host: '0.0.0.0' }, 'u@h').tunnel, 'ssh -N -L 5903:127.0.0.1:5903 u@h');
});

test('a socket is viewed at the end of a tunnel', () => {
  const socket = '/run/qemu-init/web/qemu/vnc.sock';
  assert.deepEqual(accessTo({ host: socket, display: undefined, port: undefined }, 'root@host'), {
    host: undefined,
    display: undefined,
    port: undefined,
    socket,
    tunnel: `ssh -N -L 5900:${socket} root@host`,
    viewer: 'vnc://localhost:5900',
  });
});
