/** QEMUs that are driven by hand, without qemu-init. */
import { randomFillSync } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import { createConnection } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const MIB = 1024 ** 2;

/** Fills a file with what no zero page is in. */
export function fill(path, mib) {
  const file = openSync(path, 'w');
  const piece = randomFillSync(Buffer.alloc(MIB));
  for (let at = 0; at < mib; at++) writeSync(file, piece);
  closeSync(file);
}

/** How to start a QEMU beside that of a machine, without its ports; `name` tells several of them apart. */
export function another(recorded, name) {
  const folder = `${recorded.runDir}.${name}`;
  const args = recorded.args
    .map((arg) => arg.replaceAll(recorded.runDir, folder))
    .filter((_, at, all) => !isPort(all, at));
  return { ...recorded, args, runDir: folder, socket: recorded.socket.replace(recorded.runDir, folder) };
}

/** Ports and displays of the machine itself. */
function isPort(args, at) {
  const value = args[at].startsWith('-') ? args[at + 1] : args[at];
  return /^(?:socket,id=(?:mon|ctl)\d|chardev=(?:mon|ctl)\d|127\.0\.0\.1:\d+)/.test(value ?? '');
}

/** Waits until the answer to a command has that status. */
export async function until(socket, command, status) {
  for (;;) {
    const answer = await qmp(socket, [[command]]);
    if (answer.status === status) return;
    if (answer.status === 'failed') throw new Error(`QEMU by hand: ${JSON.stringify(answer)}`);
    await sleep(10);
  }
}

/** The answer to the last of some commands. */
export function qmp(socket, commands) {
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
