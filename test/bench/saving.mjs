/** A guest whose memory is full, saved and started again: by qemu-init, and by hand with the same command line. */
import { randomFillSync } from 'node:crypto';
import { appendFileSync, closeSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { rawStart, recordStart } from './raw-start.mjs';
import { medians } from './sampling.mjs';

const NAME = 'full';
const MIB = 1024 ** 2;
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
  fill(content);
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
    rmSync(content);
    rmSync(state, { force: true });
  }
}

/** Fills a file with what no zero page is in. */
function fill(path) {
  const file = openSync(path, 'w');
  const piece = randomFillSync(Buffer.alloc(MIB));
  for (let at = 0; at < USED_MIB; at++) writeSync(file, piece);
  closeSync(file);
}

/** What an administrator would type. Its QEMUs are others than that of the machine, which runs on meanwhile. */
async function byHand(recorded, state) {
  const folder = `${recorded.runDir}.hand`;
  const args = recorded.args
    .map((arg) => arg.replaceAll(recorded.runDir, folder))
    .filter((_, at, all) => !isPort(all, at));
  const hand = { ...recorded, args, runDir: folder, socket: recorded.socket.replace(recorded.runDir, folder) };
  const first = await rawStart(hand);
  const start = performance.now();
  await qmp(hand.socket, [
    ['migrate-set-parameters', { 'max-bandwidth': 2 ** 42 }],
    ['migrate', { uri: `exec:dd of=${state} bs=1M iflag=fullblock conv=fsync status=none` }],
  ]);
  await until(hand.socket, 'query-migrate', 'completed');
  await first.end();
  const second = await rawStart({ ...hand, args: [...args, '-incoming', `exec:cat ${state}`] });
  await until(hand.socket, 'query-status', 'running');
  const elapsed = performance.now() - start;
  await second.end();
  return elapsed;
}

/** Ports and displays of the machine itself. */
function isPort(args, at) {
  const value = args[at].startsWith('-') ? args[at + 1] : args[at];
  return /^(?:socket,id=(?:mon|ctl)\d|chardev=(?:mon|ctl)\d|127\.0\.0\.1:\d+)/.test(value ?? '');
}

async function until(socket, command, status) {
  for (;;) {
    const answer = await qmp(socket, [[command]]);
    if (answer.status === status) return;
    if (answer.status === 'failed') throw new Error(`QEMU by hand: ${JSON.stringify(answer)}`);
    await sleep(10);
  }
}

/** The answer to the last of some commands. */
function qmp(socket, commands) {
  return new Promise((resolve, reject) => {
    const connection = createConnection(socket);
    let text = '';
    const lines = [['qmp_capabilities'], ...commands].map(([execute, args]) =>
      JSON.stringify({ execute, arguments: args }),
    );
    connection.on('connect', () => connection.write(`${lines.join('\n')}\n`));
    connection.on('error', reject);
    connection.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
      const answers = text.split('\n').flatMap((line) => (/^\{"(?:return|error)"/.test(line) ? [line] : []));
      if (answers.length < lines.length) return;
      connection.destroy();
      const { return: value, error } = JSON.parse(answers.at(-1).trim());
      if (error) reject(new Error(error.desc));
      else resolve(value);
    });
  });
}
