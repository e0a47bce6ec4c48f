import assert from 'node:assert/strict';
import { test } from 'node:test';
import { QemuError } from '../../../../src/base/errors.ts';
import { forwardArguments, parseSshPlace, sshArguments } from '../../../../src/fleet/move/ssh-place.ts';

const place = (name: string): object => {
  const { user, host, port, root } = parseSshPlace(name);
  return { user, host, port, root };
};

test('a place on another host is read as it is meant', () => {
  assert.deepEqual(place('ssh://node2'), { user: undefined, host: 'node2', port: undefined, root: undefined });
  assert.deepEqual(place('ssh://root@node2.lan:2222/srv/two'), {
    user: 'root',
    host: 'node2.lan',
    port: 2222,
    root: '/srv/two',
  });
  assert.deepEqual(place('ssh://node_2/'), { user: undefined, host: 'node_2', port: undefined, root: undefined });
  assert.deepEqual(place('ssh://a@[fe80::1%eth0]:22'), { user: 'a', host: 'fe80::1%eth0', port: 22, root: undefined });
  assert.deepEqual(place("ssh://10.0.0.1/a 'b'/$(c):d"), {
    user: undefined,
    host: '10.0.0.1',
    port: undefined,
    root: "/a 'b'/$(c):d",
  });
});

test('nothing of a place can become an option of ssh or of the shell there', () => {
  for (const name of [
    'ssh://-oProxyCommand=reboot',
    'ssh://-oProxyCommand=reboot@node',
    'ssh://a@-oProxyCommand=reboot',
    'ssh://node;reboot',
    'ssh://$(reboot)',
    'ssh://a b@node',
    'ssh://node:0',
    'ssh://node:65536',
    'ssh://node:-1',
    'ssh://node:',
    'ssh://@node',
    'ssh://',
    'ssh:///srv',
    'ssh://[node]',
    'ssh://[::1',
    'ssh://node/a\nreboot',
    'ssh://%h',
    'ssh://a@b@c',
  ]) {
    assert.throws(
      () => parseSshPlace(name),
      (error) => error instanceof QemuError && error.code === 'QEMU_USAGE',
      name,
    );
  }
});

test('ssh is called so that it asks nobody, knows the host, and runs one command there', () => {
  const args = sshArguments(parseSshPlace("ssh://root@node2:2222/srv/it's"), '/run/x/%h.ctl', 3);
  const at = args.indexOf('--');
  assert.deepEqual(args.slice(at - 4), [
    '-l',
    'root',
    '-p',
    '2222',
    '--',
    'node2',
    String.raw`qemu-init receive --root '/srv/it'\''s'`,
  ]);
  for (const option of [
    'BatchMode=yes',
    'StrictHostKeyChecking=yes',
    'ConnectTimeout=3',
    'ControlPath=/run/x/%%h.ctl',
  ]) {
    assert.ok(args.includes(option), option);
  }
  assert.deepEqual(sshArguments(parseSshPlace('ssh://node2'), '/c').slice(-3), ['--', 'node2', 'qemu-init receive']);
});

test('paths of sockets are taken by their letters', () => {
  assert.deepEqual(forwardArguments(parseSshPlace('ssh://node2'), '/c', '/a:b%c', String.raw`/d\e`), [
    '-S',
    '/c',
    '-O',
    'forward',
    '-L',
    String.raw`/a\:b%%c:/d\\e`,
    '--',
    'node2',
  ]);
});
