import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { hostileAgent, type Misbehaviour } from '../support/hostile-agent.ts';
import { type Lab, lab } from '../support/lab.ts';

/** Sends again and again, as fast as the other side takes it, until that hangs up. */
function flood(socket: Socket, text: string): void {
  const more = (): void => {
    while (!socket.destroyed && socket.write(text));
  };
  socket.on('drain', more);
  more();
}

const HOSTILE = '\\u001b]0;owned\\u0007\\u009b31m\\u202e\\r\\n';
const answering =
  (value: string): Misbehaviour =>
  (socket, id) =>
    void socket.write(`{"return":${value},"id":${id}}\n`);

const WAYS: Readonly<Record<string, Misbehaviour>> = {
  'an answer without an end': (socket) => flood(socket, 'x'.repeat(65_536)),
  'a text of 64 MB': (socket, id) => void socket.write(`{"return":"${'y'.repeat(64 * 1024 ** 2)}","id":${id}}\n`),
  'answers to other commands without an end': (socket) => flood(socket, '{"return":{},"id":123456}\n'.repeat(1000)),
  'one byte at a time': (socket, id) => {
    const bytes = `{"return":{},"id":${id}}`.split('');
    const timer = setInterval(() => socket.write(bytes.shift() ?? ' '), 100);
    socket.on('close', () => clearInterval(timer));
  },
  'an answer that is nested 4 million times': answering('['.repeat(4_000_000) + ']'.repeat(4_000_000)),
  'texts that are for the terminal': answering(
    `{"name":"${HOSTILE}","version":"${HOSTILE}","exited":true,"exitcode":"${HOSTILE}","out-data":"${HOSTILE}"}`,
  ),
  'an error that is for the terminal': (socket, id) =>
    void socket.write(`{"error":{"class":"${HOSTILE}","desc":"${HOSTILE}"},"id":${id}}\n`),
  'lists of such texts': answering(
    `[{"name":"${HOSTILE}","mountpoint":"${HOSTILE}","type":"${HOSTILE}","user":"${HOSTILE}","disk":[],"login-time":1e99,"hardware-address":"${HOSTILE}","ip-addresses":[{"ip-address":"${HOSTILE}","ip-address-type":"ipv4","prefix":-1}]}]`,
  ),
  'bytes that are no UTF-8': (socket, id) =>
    void socket.write(
      Buffer.concat([
        Buffer.from('{"return":"'),
        Buffer.of(0xc3, 0x28, 0xff, 0xfe, 0x9b),
        Buffer.from(`","id":${id}}\n`),
      ]),
    ),
  'base64 that is broken': answering(
    '{"pid":1,"exited":true,"exitcode":0,"out-data":"%%%=","err-data":"A","count":3,"buf-b64":"@@@@","eof":false}',
  ),
  'half an answer': (socket) => void socket.end('{"return":{"exi'),
  'numbers past all limits': answering('1e400'),
  'nothing at all': () => {},
};

const COMMANDS: readonly (readonly string[])[] = [
  ['ping'],
  ['info'],
  ['addresses'],
  ['users'],
  ['fs'],
  ['time'],
  ['time', 'set'],
  ['freeze'],
  ['thaw'],
  ['shutdown'],
  ['exec', '--timeout', '2', '--', 'ls'],
  ['get', '/etc/hosts', 'hosts'],
  ['put', 'small', '/tmp/small'],
  ['passwd', 'ann'],
];

/** A command has 5 s for each of its few requests; this host may be busy with other tests. */
const MOST_MS = 60_000;

// Most of the time is that of waiting.
describe('an agent of a captured guest', { concurrency: 3 }, () => {
  for (const [way, misbehave] of Object.entries(WAYS)) {
    test(`${way}: each command of the agent ends in time with an error for people, and nothing reaches the terminal`, async (t) => {
      const root = lab(t);
      root.add('bad', 'QGA=on\n');
      root.write('small', 'text');
      await root.ok('start', 'bad');
      await hostileAgent(t, root, 'bad', misbehave);
      await Promise.all(
        [0, 1].map((half) =>
          inTurn(
            root,
            COMMANDS.filter((_, at) => at % 2 === half),
          ),
        ),
      );
      // What came of a file is no file.
      assert.deepEqual(
        readdirSync(root.dir).filter((name) => name.includes('hosts')),
        [],
      );
      await root.ok('kill', 'bad');
    });
  }
});

async function inTurn(root: Lab, commands: readonly (readonly string[])[]): Promise<void> {
  for (const [command = '', ...words] of commands) {
    const files = words.map((word) => (['hosts', 'small'].includes(word) ? join(root.dir, word) : word));
    const args = ['agent', 'bad', '--no-color', command, ...files];
    // A terminal is where a password is asked for.
    const options = command === 'passwd' ? { input: 'secret\n' } : { tty: true };
    const { code, stdout, stderr } = await root.run('qemu-init', args, { ...options, timeoutMs: MOST_MS });
    const label = `${command} ${words.join(' ')}: ${stdout}${stderr}`.slice(0, 400);
    assert.ok(code !== undefined, label);
    assert.ok(code <= 7 || command === 'exec', label);
    // The bar of `get` and `put` clears its line.
    const seen = `${stdout}${stderr}`.replaceAll('\x1b[K', '');
    assert.doesNotMatch(seen, /Internal error|\n\s+at /, label);
    // What is no terminal gets all there is.
    if (!('tty' in options)) continue;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    assert.doesNotMatch(seen, /[\x1b\x07\x9b\u202e]/, label);
  }
}
