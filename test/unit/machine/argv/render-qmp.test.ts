import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeMachine } from '../../../../src/machine/argv/build.ts';
import type { ImageNode, Part } from '../../../../src/machine/argv/description.ts';
import { renderCalls } from '../../../../src/machine/argv/render/qmp.ts';
import { argvRequest } from '../../../support/argv-configs.ts';

function partsOf(text: string, key: string, images?: readonly ImageNode[]): Part[] {
  const request = argvRequest({ title: '', text, request: images ? { images } : {} });
  return describeMachine(request).filter((part) => part.key === key);
}

/** As QEMU reads it: members that are undefined are none. */
function sent(parts: readonly Part[]): unknown {
  return JSON.parse(JSON.stringify(renderCalls(parts).map(({ command, arguments: values }) => [command, values])));
}

test('a disk is nodes and a device, with the defaults of -drive', () => {
  assert.deepEqual(sent(partsOf('DSK1=a.img,cache=directsync,aio=native,discard=unmap,serial=1', 'DSK1')), [
    [
      'blockdev-add',
      {
        driver: 'raw',
        'node-name': 'dsk1-fmt',
        'read-only': false,
        'auto-read-only': true,
        cache: { direct: true, 'no-flush': false },
        discard: 'unmap',
        file: {
          driver: 'file',
          filename: '/etc/qemu/a.img',
          'node-name': 'dsk1-file',
          'read-only': false,
          'auto-read-only': true,
          cache: { direct: true, 'no-flush': false },
          discard: 'unmap',
          aio: 'native',
        },
      },
    ],
    [
      'device_add',
      {
        driver: 'virtio-blk-pci',
        id: 'dsk1-dev',
        bus: 'pcie.0',
        addr: '0x10',
        drive: 'dsk1-fmt',
        'write-cache': 'off',
        bootindex: 0,
        serial: '1',
      },
    ],
  ]);
});

test('of what an image rests on it is said what no header says, and no more', () => {
  const base: ImageNode = { file: '/base', format: 'raw', isGuessed: true };
  const middle: ImageNode = { file: '/middle', format: 'qcow2', backing: base };
  const [[, said] = []] = JSON.parse(
    JSON.stringify(sent(partsOf('DSK1=top', 'DSK1', [{ file: '/top', format: 'qcow2', backing: middle }]))),
  );
  assert.deepEqual(said.backing, {
    driver: 'qcow2',
    file: { driver: 'file', filename: '/middle' },
    backing: { driver: 'raw', file: { driver: 'file', filename: '/base' } },
  });
  const plain = { file: '/top', format: 'qcow2', backing: { ...middle, backing: { ...base, isGuessed: false } } };
  const [[, left] = []] = JSON.parse(JSON.stringify(sent(partsOf('DSK1=top', 'DSK1', [plain]))));
  assert.equal(left.backing, undefined);
});

test('a block device of the host is opened as one, and an encrypted image with its key', () => {
  const parts = partsOf('DSK1=a,key=k', 'DSK1', [
    { file: '/dev/sdz', format: 'luks', isDevice: true, secret: 'dsk1-key' },
  ]);
  const [secret, nodes] = renderCalls(parts);
  assert.deepEqual(secret, {
    command: 'object-add',
    arguments: { 'qom-type': 'secret', id: 'dsk1-key', file: '/run/qemu-init/web/keys/dsk1' },
  });
  assert.match(
    JSON.stringify(nodes),
    /"driver":"luks".*"driver":"host_device","filename":"\/dev\/sdz".*"key-secret":"dsk1-key"/,
  );
});

test('a card has its backend first, in the types of QMP', () => {
  assert.deepEqual(sent(partsOf('NETIF=managed\nNIC1=virtio,queues=4,mtu=1400', 'NIC1')), [
    ['netdev_add', { type: 'tap', id: 'net0', ifname: 'web.1', script: 'no', downscript: 'no', queues: 4 }],
    [
      'device_add',
      {
        driver: 'virtio-net-pci',
        netdev: 'net0',
        mac: 'DE:AD:BE:EF:00:01',
        mq: true,
        vectors: 10,
        host_mtu: 1400,
        bootindex: 0,
        id: 'nic1',
        bus: 'pcie.0',
        addr: '0x8',
      },
    ],
  ]);
});

test('a drive without a disc is a device alone', () => {
  assert.deepEqual(sent(partsOf('CDR1=empty', 'CDR1')), [
    ['device_add', { driver: 'ide-cd', id: 'cdr1-dev', bus: 'ide.0', bootindex: 0 }],
  ]);
});

test('what a running machine cannot have is refused with its key', () => {
  const refused = (parts: readonly Part[], message: RegExp): void => {
    assert.throws(() => renderCalls(parts), { code: 'QEMU_NOT_IMPLEMENTED', message });
  };
  refused(partsOf('DSK1=a.img,snapshot=on', 'DSK1'), /DSK1: "snapshot=on"/);
  refused(partsOf('RAM=1G', 'RAM'), /RAM: "-m 1G"/);
  refused(partsOf('', 'TLS'), /tls-creds-psk/);
  refused(partsOf('DSK1=a.img', 'DSK1', [{ file: '/a', format: 'blkdebug' }]), /format=blkdebug/);
});
