import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findProgram } from '../../src/system/process/find-program.ts';
import { edit } from '../support/edit-machine.ts';
import { lab } from '../support/lab.ts';

/** Each with a guest that sleeps: "wait for interrupt", and a jump back to that. */
const BOARDS = { 'qemu-system-aarch64': [0xd503207f, 0x17ffffff], 'qemu-system-riscv64': [0x10500073, 0xffdff06f] };

for (const [target, guest] of Object.entries(BOARDS)) {
  test(`a board "virt" of ${target} takes disks, cards and discs while it runs, and lets go of them at once without a guest`, {
    skip: findProgram(target) === undefined && `this host has no ${target}`,
  }, async (t) => {
    const root = lab(t);
    root.add('web', `TGTARCH=${target}\nRAM=64M\nCDR1=empty\nKERNEL=guest\n`);
    root.write('etc/qemu/guest', new Uint8Array(Uint32Array.from(guest).buffer));
    root.write('etc/qemu/b.img', new Uint8Array(1024 ** 2));
    root.write('etc/qemu/disc.iso', new Uint8Array(1024 ** 2));
    await root.ok('start', 'web');
    const shown = async (): Promise<string> =>
      (await root.cmd('-c', 'info block', 'web')).stdout + (await root.cmd('-c', 'info network', 'web')).stdout;
    // A device that has gone lets go of its image a moment later, so this is done more than once.
    for (let round = 0; round < 5; round += 1) {
      await root.ok('attach', 'web', 'DSK2=b.img', 'NIC1=virtio,net=user');
      await root.ok('insert', 'web', 'CDR1', `${root.etcDir}/disc.iso`);
      const there = await shown();
      assert.match(there, /^dsk2-fmt: .*b\.img/m);
      assert.match(there, /disc\.iso[\s\S]*^nic1: .*\n \\ net0: /m);
      await root.ok('detach', 'web', 'DSK2', 'NIC1');
      await root.ok('eject', 'web', 'CDR1');
      assert.doesNotMatch(await shown(), /dsk2|nic1|net0|disc\.iso/);
    }
    edit(root, 'web', { DSK2: 'b.img', NIC1: 'virtio,net=user' });
    assert.deepEqual((await root.one('reload', 'web'))['applied'], ['DSK2', 'NIC1']);
    edit(root, 'web', { DSK2: '', NIC1: '' });
    await root.ok('reload', 'web');
    assert.deepEqual((await root.one('diff', 'web'))['differences'], []);
    await root.ok('stop', 'web', '--force');
    assert.deepEqual(root.leftovers(), []);
  });
}
