/** QEMU started by hand: the very command line that qemu-init used, without qemu-init. */
import { spawn } from 'node:child_process';
import { closeSync, cpSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const QUESTION = '{"execute":"qmp_capabilities"}\n{"execute":"query-status"}\n';

/**
 * Notes how a running machine was started: its command line and the run-time folder that it found.
 *
 * @param {number} pid
 * @param {string} runDir the machine's run-time folder
 */
export function recordStart(pid, runDir) {
  const [file, ...args] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
  const copy = `${runDir}.copy`;
  // Sockets cannot be copied, and QEMU makes its own.
  cpSync(runDir, copy, { recursive: true, filter: (path) => !/\.sock$|\/pid$|\/lock/.test(path) });
  return { file, args, runDir, copy };
}

/** Milliseconds from the start of QEMU to the answer to its first command. Gives also what ends it. */
export async function rawStart({ file, args, runDir, copy }) {
  cpSync(copy, runDir, { recursive: true });
  const start = performance.now();
  const log = openSync(join(dirname(copy), 'raw.log'), 'a');
  const child = spawn(file, args, { detached: true, stdio: ['ignore', log, log], cwd: runDir });
  closeSync(log);
  const ended = new Promise((resolve) => child.on('exit', resolve));
  await firstAnswer(join(runDir, 'qmp.sock'), () => child.exitCode === null);
  const elapsed = performance.now() - start;
  const end = async () => {
    child.kill('SIGKILL');
    await ended;
    rmSync(runDir, { recursive: true });
  };
  return { elapsed, end };
}

async function firstAnswer(path, isAlive) {
  while (isAlive()) {
    if (await ask(path)) return;
    await sleep(1);
  }
  throw new Error('QEMU started by hand has ended');
}

function ask(path) {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    let text = '';
    socket.on('connect', () => socket.write(QUESTION));
    socket.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
      if (text.split('"return"').length === 3) {
        socket.destroy();
        resolve(true);
      }
    });
    socket.on('error', () => resolve(false));
    socket.on('close', () => resolve(false));
  });
}
