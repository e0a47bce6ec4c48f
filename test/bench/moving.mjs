/** An idle guest that moves to another root folder of this host: by qemu-init, and by hand with the same command line. */
import { execFile } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { another, fill, qmp, until } from './by-hand.mjs';
import { tool } from './lab.mjs';
import { rawStart, recordStart } from './raw-start.mjs';
import { medians, timeProgram } from './sampling.mjs';

const NAME = 'idle';
const RAM_MIB = 256;
/** What a small Linux has touched after its boot. */
const USED_MIB = 64;

/**
 * Medians in milliseconds: `ours` of `migrate`, `raw` of the same by hand, from the start of the second QEMU; `pause` is what
 * `migrate` reports, `rawPause` from the stop of the one QEMU until the other runs; `node` is `node -e 0`.
 *
 * @param {import('./lab.mjs').Lab} lab
 */
export async function timeMoving(lab) {
  const second = mkdtempSync(join(tmpdir(), 'qbm-'));
  const etc = join(lab.dir, 'etc/qemu');
  const content = join(lab.dir, 'idle-content');
  fill(content, USED_MIB);
  const custom = `[custom]\n-device loader,file=${content},addr=0x4000000,force-raw=on\n`;
  writeFileSync(join(etc, `${NAME}-qemu.cfg`), `RAM=${RAM_MIB}M\nKVM=off\n${custom}`);
  appendFileSync(join(etc, 'qemu-init.reg'), `${NAME}=${NAME}\n`);
  mkdirSync(join(second, 'etc/qemu'), { recursive: true });
  writeFileSync(join(second, 'etc/qemu/monitor.conf'), 'MONPORT=25000\nVNCDISPLAY=4400\n');
  await lab.time('qemu-init', 'start', NAME);
  const [{ pid }] = await lab.json('status', NAME);
  const recorded = recordStart(pid, lab.runDir(NAME));
  let [from, to] = [lab.dir, second];
  let [pause, rawPause] = [0, 0];
  const migrate = async () => {
    const began = performance.now();
    const words = ['--root', from, 'migrate', NAME, `root:${to}`, '--json'];
    const { stdout } = await promisify(execFile)(tool('qemu-init'), words);
    const elapsed = performance.now() - began;
    pause = JSON.parse(stdout)[0].downtimeMs;
    rmSync(join(from, 'etc/qemu', `${NAME}-qemu.cfg.moved`));
    [from, to] = [to, from];
    return elapsed;
  };
  try {
    const result = await medians(5, {
      ours: migrate,
      raw: async () => {
        const timed = await byHand(recorded);
        rawPause = timed.pause;
        return timed.elapsed;
      },
      node: () => timeProgram(process.execPath, ['-e', '0']),
      // Of the round that was just timed.
      pause: async () => pause,
      rawPause: async () => rawPause,
    });
    return { ...result, ramMib: RAM_MIB, usedMib: USED_MIB };
  } finally {
    await promisify(execFile)(tool('qemu-init'), ['--root', from, 'kill', NAME]);
    // The parts after this one start all machines, and it needs the content.
    await promisify(execFile)(tool('qemu-init'), ['--root', from, 'unregister', NAME]);
    rmSync(content);
    rmSync(second, { recursive: true, force: true });
  }
}

/** What an administrator would type. QEMU may send while the guest runs: whether that loses memory is not looked at. */
async function byHand(recorded) {
  const [one, two] = [another(recorded, 'one'), another(recorded, 'two')];
  const first = await rawStart(one);
  const line = `unix:${one.runDir}/move`;
  const start = performance.now();
  const second = await rawStart({ ...two, args: [...two.args, '-incoming', line] });
  await qmp(one.socket, [
    ['migrate-set-parameters', { 'max-bandwidth': 2 ** 42 }],
    ['migrate', { uri: line }],
  ]);
  await until(two.socket, 'query-status', 'running');
  const elapsed = performance.now() - start;
  const { downtime } = await qmp(one.socket, [['query-migrate']]);
  await second.end();
  await first.end();
  return { elapsed, pause: downtime ?? 0 };
}
