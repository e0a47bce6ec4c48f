import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MachineConfig } from '../../../src/config/types.ts';
import { customDisks, tellCustomDisks } from '../../../src/machine/check/custom-disks.ts';
import type { MachineContext, MachineRef } from '../../../src/machine/context.ts';

function configOf(...lines: readonly string[][]): MachineConfig {
  const custom = lines.map((args) => ({ args, origin: { file: 'x', line: 1 } }));
  return { custom, dir: '/srv' } as unknown as MachineConfig;
}

test('images that [custom] lets a guest write to are found, whichever option names them', () => {
  const config = configOf(
    ['-drive', 'if=none,file=a,, b.qcow2,id=x', '-hdb', '/d/b.img'],
    ['-blockdev', '{"driver":"qcow2","file":{"driver":"file","filename":"/d/c.qcow2"},"node-name":"c"}'],
    ['-drive', 'file=ro.qcow2,readonly=on', '-drive', 'file=t.qcow2,snapshot=on', '-cdrom', 'x.iso'],
    ['-drive', 'file=/d/b.img', '-device', 'virtio-rng-pci', '-kernel', 'vmlinuz'],
  );
  assert.deepEqual(customDisks(config), ['/srv/a, b.qcow2', '/d/b.img', '/d/c.qcow2']);
});

test('they are named once when something leaves them out', () => {
  const said: string[] = [];
  const host = { notify: ({ message }: { message: string }) => said.push(message) } as unknown as MachineContext;
  const target = { longName: 'web' } as MachineRef;
  tellCustomDisks(host, target, configOf(['-device', 'virtio-rng-pci']), 'the backup');
  assert.deepEqual(said, []);
  tellCustomDisks(host, target, configOf(['-drive', 'file=/d/x']), 'the backup');
  assert.deepEqual(said, ['not in the backup: "/d/x" of [custom]; only disks of DSKx lines are']);
});
