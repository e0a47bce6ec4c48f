import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMachineConfig } from '../../../../src/config/machine-config.ts';
import type { MachineConfig } from '../../../../src/config/types.ts';
import { hardeningLines } from '../../../../src/fleet/service/units/hardening.ts';
import { closedTo } from '../../../../src/machine/check/used-paths.ts';

function config(text: string, path = '/etc/qemu/web-qemu.cfg'): MachineConfig {
  const parsed = parseMachineConfig(text, { path });
  assert.ok(parsed.config, JSON.stringify(parsed.issues));
  return parsed.config;
}

function lines(text: string, others: readonly string[] = [], realFiles: readonly string[] = []): Map<string, string> {
  const machine = { config: config(text), realFiles };
  const closed = closedTo([machine, ...others.map((path) => ({ config: config('', path) }))]);
  return new Map(hardeningLines(machine, closed).flatMap((line) => (line ? [line] : [])));
}

const OWN = '-/run/qemu-init -/var/lib/qemu-init -/var/log/qemu-init';

test('a machine may write to the folders of its disks, and to nothing else of the host', () => {
  const found = lines(
    'DSK1="/srv/my vms/a.img"\nDSK2=b.img\nDSK3=/base/c.img,readonly=on\nDSK4=/dev/vg/d\n',
    [],
    ['/data/a.img'],
  );
  assert.equal(found.get('ProtectSystem'), 'strict');
  assert.equal(found.get('ReadWritePaths'), `${OWN} "-/srv/my vms" -/etc/qemu -/data`);
  assert.equal(lines('DSK1=/a.img\n').get('ReadWritePaths'), `${OWN} -/a.img`);
});

test('paths in [custom] are open as well, programs and devices of the system stay read-only', () => {
  const custom =
    '-chardev socket,path=/run/x/a.sock,id=a\n-drive file=/vm/b.img,format=raw\n-bios /usr/share/x/b.bin\n';
  const found = lines(`[custom]\n${custom}`);
  assert.equal(found.get('ReadWritePaths'), `${OWN} -/run/x -/vm`);
  const relative = lines('[custom]\n-chardev file,id=a,path=logs/a\n');
  assert.equal(relative.get('ReadWritePaths'), `${OWN} -/etc/qemu/logs`);
});

test('paths in [custom] are open however QEMU lets them be written', () => {
  for (const [line, folders] of [
    [`-blockdev '{"driver":"raw","node-name":"a","file":{"driver":"file","filename":"/vm/x.img"}}'`, '-/vm'],
    ['-hda disks/a.img', '-/etc/qemu/disks'],
    ['-drive if=none,id=a,file=/srv/vm,,x/d.img', '-/srv/vm,x'],
    ['-drive file.driver=file,file.filename=/vm/d.img', '-/vm'],
    ['-drive file.driver=file,file.filename=d/d.img', '-/etc/qemu/d'],
    ['-object memory-backend-file,id=m,size=1M,mem-path=mem/m', '-/etc/qemu/mem'],
    ['-debugcon file:/l/x.log', '-/l'],
    ['-serial file:l/x.log', '-/etc/qemu/l'],
    ['-virtfs local,path=/srv/share,mount_tag=t,security_model=none', '-/srv/share'],
    ['-fsdev local,id=f,path=/srv/share,security_model=none', '-/srv/share'],
    ['-D /l/qemu.log -device e1000', '-/l'],
    ['-blockdev qcow2,node-name=b,file=a', undefined],
  ] as const) {
    const expected = [OWN, ...(folders === undefined ? [] : [folders])].join(' ');
    assert.equal(lines(`[custom]\n${line}\n`).get('ReadWritePaths'), expected, line);
  }
  const closed = lines(`[custom]\n-blockdev '{"driver":"file","node-name":"a","filename":"/tmp/x.img"}'\n`);
  assert.equal(closed.get('PrivateTmp'), 'no');
});

test('home folders and temporary files are closed unless a machine has files there', () => {
  const closed = (found: Map<string, string>) => [found.get('ProtectHome'), found.get('PrivateTmp')];
  assert.deepEqual(closed(lines('DSK1=/srv/a.img\n')), ['yes', 'yes']);
  assert.deepEqual(closed(lines('DSK1=/home/ann/a.img\n')), ['read-only', 'yes']);
  assert.deepEqual(closed(lines('CDR1=/tmp/a.iso\n')), ['yes', 'no']);
  assert.deepEqual(closed(lines('', ['/root/vm/db-qemu.cfg'])), ['read-only', 'yes']);
  assert.deepEqual(closed(lines('PRECMD=/bin/true\n')), ['read-only', 'yes']);
  assert.deepEqual(closed(lines('DSK1=/homes/a.img\nDSK2=/tmpfs/b.img\n')), ['yes', 'yes']);
});

test('what only a QEMU of root, or a hook, could use is taken away from others', () => {
  assert.match(
    lines('RUNAS=auto\n').get('CapabilityBoundingSet') ?? '',
    /^~CAP_IPC_LOCK .*CAP_NET_BIND_SERVICE CAP_NET_ADMIN$/,
  );
  const bridged = lines('RUNAS=auto\nNETIF=managed\nNIC1=virtio\n').get('CapabilityBoundingSet') ?? '';
  assert.match(bridged, /CAP_NET_BIND_SERVICE$/);
  assert.equal(lines('').get('CapabilityBoundingSet'), undefined);
  assert.equal(lines('RUNAS=auto\nPOSTCMD=/bin/true\n').get('CapabilityBoundingSet'), undefined);
  assert.equal(lines('').get('RestrictAddressFamilies'), '~AF_VSOCK');
  assert.equal(lines('[custom]\n-qmp vsock:3:1234\n').get('RestrictAddressFamilies'), undefined);
  assert.equal(lines('[custom]\n-device vhost-vsock-pci,guest-cid=3\n').get('RestrictAddressFamilies'), '~AF_VSOCK');
});

test('passt may listen on any port that a host keeps for root, and on none if it forwards none', () => {
  const passt = (options: string): string =>
    lines(`RUNAS=auto\nNIC1=virtio,net=passt${options}\n`).get('CapabilityBoundingSet') ?? '';
  assert.match(passt(''), /CAP_NET_BIND_SERVICE CAP_NET_ADMIN$/);
  for (const port of [222, 2222]) {
    assert.match(passt(`,hostfwd=tcp:127.0.0.1:${port}-:22`), /CAP_SYS_RESOURCE CAP_NET_ADMIN$/, String(port));
  }
});

test("the machine's own user is made before the unit shuts itself in, whatever the machine's name", () => {
  const made = lines('RUNAS=auto\n').get('ExecStartPre');
  assert.match(
    made ?? '',
    /^\+-\/bin\/sh -c 'getent passwd qi-web >\/dev\/null \|\| \{ .*useradd .*"QEMU machine web".* qi-web; \}'$/,
  );
  assert.equal(lines('RUNAS=qemu\n').get('ExecStartPre'), undefined);
});
