/** QEMU started by hand: the very command line that qemu-init used, without qemu-init. */
import { spawn } from 'node:child_process';
import { closeSync, cpSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Longest time for one start. */
const START_MS = 30_000;

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
  return { file, args, runDir, copy, socket: qmpSocket(args) };
}

/** Milliseconds from the start of QEMU to the answer to its first command. Gives also what ends it. */
export async function rawStart({ file, args, runDir, copy, socket }) {
  cpSync(copy, runDir, { recursive: true });
  const start = performance.now();
  const logFile = join(dirname(copy), 'raw.log');
  const log = openSync(logFile, 'w');
  const child = spawn(file, args, { detached: true, stdio: ['ignore', log, log], cwd: runDir });
  closeSync(log);
  const ended = new Promise((resolve) => child.on('exit', resolve));
  const isPossible = () => child.exitCode === null && performance.now() - start < START_MS;
  if (!(await firstAnswer(socket, isPossible))) {
    throw new Error(`QEMU started by hand has not answered\n${readFileSync(logFile, 'utf8')}`);
  }
  const elapsed = performance.now() - start;
  const end = async () => {
    child.kill('SIGKILL');
    await ended;
    rmSync(runDir, { recursive: true });
  };
  return { elapsed, end };
}

async function firstAnswer(path, isPossible) {
  while (isPossible()) {
    if (await ask(path)) return true;
    await sleep(1);
  }
  return false;
}

/** The path of the socket that is qemu-init's own, from QEMU's command line. */
function qmpSocket(args) {
  const chardev = args.find((arg) => arg.startsWith('socket,id=qmp,')) ?? '';
  return /path=([^,]+)/.exec(chardev)?.[1];
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
