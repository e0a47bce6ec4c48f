/** A guest whose memory is full, saved and started again: by qemu-init, and by hand with the same command line. */
import { appendFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { another, fill, qmp, until } from './by-hand.mjs';
import { rawStart, recordStart } from './raw-start.mjs';
import { medians } from './sampling.mjs';

const NAME = 'full';
const RAM_MIB = 640;
const USED_MIB = 512;

/**
 * Medians in milliseconds: `ours` of `save` and `start`, `raw` of the same by hand.
 *
 * @param {import('./lab.mjs').Lab} lab
 */
export async function timeSaving(lab) {
  const etc = join(lab.dir, 'etc/qemu');
  const content = join(lab.dir, 'content');
  fill(content, USED_MIB);
  writeFileSync(
    join(etc, `${NAME}-qemu.cfg`),
    `RAM=${RAM_MIB}M\nKVM=off\n[custom]\n-device loader,file=${content},addr=0x4000000,force-raw=on\n`,
  );
  appendFileSync(join(etc, 'qemu-init.reg'), `${NAME}=${NAME}\n`);
  await lab.time('qemu-init', 'start', NAME);
  const [{ pid }] = await lab.json('status', NAME);
  const recorded = recordStart(pid, lab.runDir(NAME));
  const state = join(lab.dir, 'state');
  try {
    const result = await medians(5, {
      ours: async () => {
        const saving = await lab.time('qemu-init', 'save', NAME);
        const starting = await lab.time('qemu-init', 'start', NAME);
        return saving + starting;
      },
      raw: () => byHand(recorded, state),
    });
    return { ...result, mib: USED_MIB };
  } finally {
    await lab.time('qemu-init', 'kill', NAME);
    // The parts after this one start all machines, and it needs the content.
    await lab.time('qemu-init', 'unregister', NAME);
    rmSync(content);
    rmSync(state, { force: true });
  }
}

/** What an administrator would type. Its QEMUs are others than that of the machine, which runs on meanwhile. */
async function byHand(recorded, state) {
  const hand = another(recorded, 'hand');
  const first = await rawStart(hand);
  const start = performance.now();
  await qmp(hand.socket, [
    ['migrate-set-parameters', { 'max-bandwidth': 2 ** 42 }],
    ['migrate', { uri: `exec:dd of=${state} bs=1M iflag=fullblock conv=fsync status=none` }],
  ]);
  await until(hand.socket, 'query-migrate', 'completed');
  await first.end();
  const second = await rawStart({ ...hand, args: [...hand.args, '-incoming', `exec:cat ${state}`] });
  await until(hand.socket, 'query-status', 'running');
  const elapsed = performance.now() - start;
  await second.end();
  return elapsed;
}
