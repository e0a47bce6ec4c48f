import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findProgram } from '../../src/system/process/find-program.ts';
import { edit } from '../support/edit-machine.ts';
import { interrupt, timed } from '../support/interrupt.ts';
import { type Lab, lab } from '../support/lab.ts';

/** Its board lets go of a device at once when no guest has a driver for it, so that all steps of a command are done. */
const TARGET = 'qemu-system-aarch64';
/** "Wait for interrupt", and a jump back to that. */
const SLEEPING_GUEST = [0xd503207f, 0x17ffffff];
const MOMENTS = 10;

/** What is done before a command that is interrupted, and that. */
interface Change {
  readonly before: (root: Lab) => Promise<unknown>;
  readonly words: readonly string[];
}

const nothing = async (): Promise<void> => {};

const CHANGES: Readonly<Record<string, Change>> = {
  attach: { before: nothing, words: ['attach', 'web', 'DSK2=b.img,iothread=on', 'NIC1=virtio,net=user'] },
  detach: {
    before: (root) => root.ok('attach', 'web', 'DSK2=b.img,iothread=on', 'NIC1=virtio,net=user'),
    words: ['detach', 'web', 'DSK2', 'NIC1'],
  },
  reload: {
    before: async (root) => edit(root, 'web', { DSK2: 'b.img', NIC1: 'virtio,net=user', CDR1: 'disc.iso' }),
    words: ['reload', 'web'],
  },
  insert: { before: nothing, words: ['insert', 'web', 'CDR1', 'disc.iso'] },
};

for (const signal of ['SIGINT', 'SIGKILL'] as const) {
  test(`${signal} at ${MOMENTS} moments of attach, detach, reload and insert: the next reload makes the machine what its file says`, {
    skip: findProgram(TARGET) === undefined && `this host has no ${TARGET}`,
  }, async (t) => {
    const root = lab(t);
    root.add('web', `TGTARCH=${TARGET}\nRAM=64M\nCDR1=empty\nKERNEL=guest\n`);
    root.write('etc/qemu/guest', new Uint8Array(Uint32Array.from(SLEEPING_GUEST).buffer));
    for (const name of ['b.img', 'disc.iso']) root.write(`etc/qemu/${name}`, new Uint8Array(1024 ** 2));
    await root.ok('start', 'web');
    const before = await insideOf(root);
    for (const [name, change] of Object.entries(CHANGES)) {
      const words = change.words.map((word) => (word === 'disc.iso' ? `${root.etcDir}/disc.iso` : word));
      await change.before(root);
      const wholeMs = await timed(() => root.ok(...words));
      await back(root);
      for (let moment = 0; moment < MOMENTS; moment += 1) {
        const about = `${name}, moment ${moment} of ${Math.round(wholeMs)} ms`;
        await change.before(root);
        await interrupt(root, signal, (wholeMs * (moment + 1)) / (MOMENTS + 1), words);
        // What the file says now, and then what it said before.
        await root.ok('reload', 'web');
        assert.deepEqual((await root.one('diff', 'web'))['differences'], [], about);
        if (name === 'reload') assert.match(await insideOf(root), /dsk2[\s\S]*disc\.iso|disc\.iso[\s\S]*dsk2/, about);
        await back(root);
        assert.equal(await insideOf(root), before, about);
      }
    }
    await root.ok('stop', 'web', '--force');
    assert.deepEqual(root.leftovers(), []);
  });
}

async function back(root: Lab): Promise<void> {
  edit(root, 'web', { DSK2: '', NIC1: '', CDR1: 'empty' });
  await root.ok('reload', 'web');
}

/** What QEMU has. */
async function insideOf(root: Lab): Promise<string> {
  const parts = [
    ['-q', 'qom-list', 'path=/objects', 'web'],
    ['-q', 'qom-list', 'path=/machine/peripheral', 'web'],
    ['-c', 'info block', 'web'],
    ['-c', 'info network', 'web'],
  ];
  const texts = [];
  for (const words of parts) texts.push((await root.cmd(...words)).stdout);
  // A disc that was taken out leaves the tray open.
  return texts.join('').replaceAll(/#block\d+|tray (?:open|closed)/g, '');
}
