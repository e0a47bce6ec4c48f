import assert from 'node:assert/strict';
import { test } from 'node:test';
import { joinWords } from '../../../../src/config/text/shell-words.ts';
import { buildArgs } from '../../../../src/machine/argv/build.ts';
import { importDefinition } from '../../../../src/provision/import/import.ts';
import { ARGV_CONFIGS, ARGV_DIR, argvRequest } from '../../../support/argv-configs.ts';

/** A host on which every file is there that a definition names. */
const files = { dir: ARGV_DIR, exists: () => true, read: () => undefined, storages: new Map<string, string>() };

function imported(text: string): ReturnType<typeof importDefinition> {
  return importDefinition(text, { path: '/srv/run.sh', files, etcDir: ARGV_DIR, format: 'command' });
}

/** A password is no part of a command line: the screen is shown on this host only until it is given anew. */
const WITH_PASSWORD = 'vnc-password';

/** The folder with the data for cloud-init is not in a command line either. */
const isWhole = (title: string): boolean => title !== WITH_PASSWORD && !title.startsWith('cloud-init');

for (const config of ARGV_CONFIGS.filter(({ title }) => isWhole(title))) {
  test(`the command line of "${config.title}" is imported as a machine with the same command line`, () => {
    const request = argvRequest(config);
    const args = buildArgs(request);
    const result = imported(joinWords([request.binary, ...args]));
    const again = argvRequest({ ...config, text: result.text });
    assert.deepEqual(buildArgs(again), args, result.text);
    assert.deepEqual(
      result.items.filter(({ outcome }) => outcome === 'lost' || outcome === 'refused'),
      [],
    );
  });
}

test('a screen with a password is not shown to the network without it', () => {
  const { text, items } = imported('qemu-system-x86_64 -vnc 0.0.0.0:3,password=on');
  assert.match(text, /^VNC=127\.0\.0\.1:3$/m);
  assert.ok(items.some(({ key, outcome }) => key === 'VNC' && outcome === 'changed'));
});

test('options that stand for several others are understood', () => {
  const { text, items } = imported(
    'kvm -m 1024 -smp 2,sockets=1 -hda disk.qcow2 -cdrom /srv/d.iso -net nic,model=virtio -net user,hostfwd=tcp::2222-:22 \\\n -nographic -enable-kvm -boot d',
  );
  for (const line of [
    'RAM=1G',
    'SMP=2,sockets=1',
    'KVM=on',
    'BOOT=cdrom',
    'DSK1="/etc/qemu/disk.qcow2,if=ide"',
    'CDR1="/srv/d.iso"',
  ]) {
    assert.ok(text.split('\n').includes(line), `${line}\n${text}`);
  }
  assert.match(text, /^NIC1="virtio-net-pci,net=user,hostfwd=tcp::2222-:22"$/m);
  assert.deepEqual(
    items.filter(({ outcome }) => outcome === 'lost' || outcome === 'refused'),
    [],
  );
});

test('a node of the block layer and its device are one disk', () => {
  const { text } = imported(
    `qemu-system-x86_64 -blockdev '{"driver":"file","filename":"/srv/a.qcow2","node-name":"f","aio":"native"}' ` +
      `-blockdev '{"driver":"qcow2","file":"f","node-name":"d","cache":{"direct":true}}' -device virtio-blk-pci,drive=d,serial=S`,
  );
  assert.match(text, /^DSK1="\/srv\/a\.qcow2,format=qcow2,aio=native,cache=none,if=virtio,serial=S"$/m);
});

test('what is not understood is kept as it is, with all that it refers to', () => {
  const { text } = imported(
    'qemu-system-x86_64 -device pcie-root-port,id=p1 -object rng-builtin,id=r -device edu,id=e,bus=p1 -drive if=none,id=n,file=nbd://h/x -device virtio-blk-pci,drive=n',
  );
  const custom = text.slice(text.indexOf('[custom]')).split('\n');
  for (const line of [
    '-device pcie-root-port,id=p1',
    '-device edu,id=e,bus=p1',
    '-drive if=none,id=n,file=nbd://h/x',
    '-device virtio-blk-pci,drive=n',
  ]) {
    assert.ok(custom.includes(line), `${line}\n${text}`);
  }
  assert.doesNotMatch(text, /^DSK/m);
});

test('nothing of a command line is executed or expanded', () => {
  for (const bad of ['$(touch x)', '`touch x`', '$HOME', 'a; touch x', 'a > b', '"$x"']) {
    assert.throws(() => imported(`qemu-system-x86_64 -m 1G\n-name ${bad}`), /run\.sh:2: /, bad);
  }
});
