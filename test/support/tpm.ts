import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Socket } from 'node:net';

/*
 * A TPM without a machine, that has the contents in a folder: what a guest seals is sealed here. Commands as in the
 * TPM 2.0 Library, parts 2 and 3.
 */

const INDEX = '01800001';
/** OWNERWRITE, AUTHWRITE, AUTHREAD. */
const ATTRIBUTES = '00040006';
const EMPTY_PASSWORD = `00000009${'40000009'}0000000000`;
const LENGTH = 8;

/** Keeps eight characters in the TPM. */
export async function writeToTpm(folder: string, text: string, uid = process.getuid?.() ?? 0): Promise<void> {
  assert.equal(text.length, LENGTH);
  const area = `000E${INDEX}000B${ATTRIBUTES}00000008`;
  const owner = '40000001';
  await ask(folder, uid, [
    command('0000012A', `${owner}${EMPTY_PASSWORD}0000${area}`),
    command('00000137', `${INDEX}${INDEX}${EMPTY_PASSWORD}0008${Buffer.from(text).toString('hex')}0000`),
  ]);
}

/** What {@link writeToTpm} has last put there. */
export async function readFromTpm(folder: string, uid = process.getuid?.() ?? 0): Promise<string> {
  const read = command('0000014E', `${INDEX}${INDEX}${EMPTY_PASSWORD}00080000`);
  const answer = await ask(folder, uid, [read]);
  return answer.subarray(16, 16 + LENGTH).toString();
}

function command(code: string, rest: string): Buffer {
  const size = (10 + rest.length / 2).toString(16).padStart(8, '0');
  return Buffer.from(`8002${size}${code}${rest}`, 'hex');
}

/** The answer to the last of them, which must be good. A second definition of the area is not. */
async function ask(folder: string, uid: number, commands: readonly Buffer[]): Promise<Buffer> {
  const args = ['socket', '--tpm2', '--tpmstate', `dir=${folder},mode=0600`, '--fd', '3'];
  const swtpm = spawn('swtpm', [...args, '--flags', 'not-need-init,startup-clear'], {
    stdio: ['ignore', 'inherit', 'ignore', 'pipe'],
    uid,
    gid: uid,
  });
  const ended = once(swtpm, 'exit');
  const socket = swtpm.stdio[3];
  assert.ok(socket instanceof Socket);
  let answer: Buffer = Buffer.alloc(0);
  for (const each of commands) {
    do {
      socket.write(each);
      [answer] = await once(socket, 'data');
    } while (codeOf(answer) === TRY_AGAIN);
  }
  socket.destroy();
  await ended;
  assert.equal(codeOf(answer).toString(16), '0');
  return answer;
}

/** TPM_RC_RETRY */
const TRY_AGAIN = 0x922;

function codeOf(answer: Buffer): number {
  return answer.readUInt32BE(6);
}
