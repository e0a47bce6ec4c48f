import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type Lab, lab } from '../support/lab.ts';
import { type LyingWay, lyingQemu, mutate, Raw } from '../support/lying-qemu.ts';

const HOSTILE = '\u001b]0;owned\u0007\u009b31m\u202e\r\n../../../etc/shadow';

let turn = 0;
/** Each of several lies in turn, so that a command goes on after some. */
const now = (every: number): boolean => {
  turn += 1;
  return turn % every === 0;
};

/** One after the other. */
function next<T>(values: readonly T[]): T | undefined {
  turn += 1;
  return values[turn % values.length];
}

const SWAPPED = [7, -1, '', 'x', null, true, [], {}, [[]], { a: {} }];

const WAYS: Readonly<Record<string, LyingWay>> = {
  'texts for the terminal': { lie: (value) => mutate(value, (leaf) => (typeof leaf === 'string' ? HOSTILE : leaf)) },
  'some texts for the terminal': {
    lie: (value) => mutate(value, (leaf) => (typeof leaf === 'string' && now(5) ? HOSTILE : leaf)),
  },
  'values of other types': { lie: (value) => mutate(value, () => next(SWAPPED)) },
  'some values of other types': {
    lie: (value) => mutate(value, (leaf) => (now(7) ? SWAPPED[turn % SWAPPED.length] : leaf)),
  },
  'answers of other types': { lie: () => next(SWAPPED) },
  'some answers of other types': { lie: (value) => (now(4) ? SWAPPED[turn % SWAPPED.length] : value) },
  'lists of a hundred thousand': {
    lie: (value) =>
      Array.isArray(value) && value.length > 0
        ? new Raw(
            `[${Array(Math.min(100_000, Math.ceil(8e6 / JSON.stringify(value[0]).length)))
              .fill(JSON.stringify(value[0]))
              .join(',')}]`,
          )
        : value,
  },
  'numbers past all limits': {
    lie: (value) =>
      new Raw(
        JSON.stringify(mutate(value, (leaf) => (typeof leaf === 'number' ? '@@' : leaf))).replaceAll(
          '"@@"',
          () => next(['1e400', '-1', '9007199254740993', '18446744073709551615', '0.5', '-0']) ?? '0',
        ),
      ),
  },
  'objects without members': {
    lie: (value) => (typeof value === 'object' ? (Array.isArray(value) ? [{}] : {}) : value),
  },
  'empty lists': { lie: (value) => (Array.isArray(value) ? [] : value) },
  refusals: {
    lie: () => {
      throw new Error(HOSTILE);
    },
  },
  'some refusals': {
    lie: (value) => {
      if (now(4)) throw new Error(HOSTILE);
      return value;
    },
  },
  'events without end': {
    lie: (value) => value,
    before: `{"event":"JOB_STATUS_CHANGE","timestamp":{"seconds":1,"microseconds":1},"data":{"id":"qi","status":"${'x'.repeat(100)}"}}\n`,
  },
  'the same answer to everything': { lie: () => ({ status: 'running', running: true }) },
  'everything is done, nothing is': { lie: () => ({}) },
  'no answer to what changes': { lie: (value, command) => (command.startsWith('query-') ? value : undefined) },
  'no answer to a question': {
    lie: (value, command) => (command.startsWith('query-') && command !== 'query-status' ? undefined : value),
  },
};

const COMMANDS: readonly (readonly string[])[] = [
  ['status'],
  ['diff'],
  ['attach', 'DSK2=two.qcow2', '--timeout', '3'],
  ['attach', 'NIC2=virtio,net=user', '--timeout', '3'],
  ['detach', 'NIC2', '--timeout', '3'],
  ['reload', '--timeout', '3'],
  ['detach', 'DSK2', '--timeout', '3'],
  ['insert', 'CDR1', 'disc.iso', '--timeout', '3'],
  ['eject', 'CDR1', '--timeout', '3'],
  ['balloon'],
  ['balloon', '20M', '--timeout', '3'],
  ['nic', 'link', '@', 'NIC1', 'down'],
  ['screenshot', 'FILE.png'],
  ['sendkey', 'ctrl-alt-f1'],
  ['type', 'text'],
  ['vnc'],
  ['dump', 'FILE.core'],
  ['jobs'],
  ['jobs', 'cancel', '@', 'qi.x'],
  ['disk', 'list', '@'],
  ['disk', 'resize', '@', 'DSK1', '5M'],
  ['disk', 'mirror', '@', 'DSK1', 'FILE.qcow2'],
  ['snapshot', 'create', '@', 'one', '--quiesce', 'off'],
  ['snapshot', 'create', '@', 'two', '--memory', '--quiesce', 'off'],
  ['snapshot', 'list', '@'],
  ['snapshot', 'delete', '@', 'one'],
  ['backup', 'create', '@', 'DEST', '--quiesce', 'off'],
  ['metrics'],
  ['top', '--once'],
  ['pause'],
  ['resume'],
  ['migrate', '@', 'root:OTHER', '--check'],
  ['migrate', '@', 'root:OTHER', '--timeout', '10'],
  ['restart', '--live', '--check'],
  ['save'],
  ['status'],
  ['stop', '--timeout', '2'],
];

const LINES = 'MACHINE=pc\nVGA=std\nVNC=unix\nBALLOON=on\nRAM=32M\nCDR1=empty\nNIC1=virtio,net=user\nDSK1=one.qcow2\n';

/** Those that each wait for an answer in vain, as long as they may. */
const SHORT = ['status', 'diff', 'attach', 'screenshot', 'jobs', 'metrics', 'top', 'stop'];

describe('a captured QEMU', { concurrency: 2 }, () => {
  for (const [way, lying] of Object.entries(WAYS)) {
    test(`${way}: every command ends in time with an error for people, and nothing reaches the terminal`, async (t) => {
      const root = lab(t);
      root.write('etc/qemu/monitor.conf', 'MONITOR=off\n');
      for (const name of ['one', 'two']) {
        execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', join(root.etcDir, `${name}.qcow2`), '4M']);
      }
      root.write('etc/qemu/disc.iso', new Uint8Array(1024 ** 2));
      root.add('bad', LINES);
      mkdirSync(join(root.dir, 'dest'));
      mkdirSync(join(root.dir, 'other'));
      const isSilent = way.startsWith('no answer');
      const commands = COMMANDS.filter(([action = '']) => !isSilent || SHORT.includes(action));
      for (const words of commands) await inTurn(t, root, lying, words);
      await root.init('kill', 'bad');
      assert.equal(await root.state('bad'), 'stopped');
      assert.deepEqual(
        readdirSync(root.dir).filter((name) => name.startsWith('.') && name.endsWith('.part')),
        [],
      );
    });
  }
});

async function inTurn(
  t: Parameters<typeof lab>[0],
  root: Lab,
  lying: LyingWay,
  words: readonly string[],
): Promise<void> {
  if ((await root.state('bad')) === 'stopped') {
    const started = await root.init('start', 'bad', '--fresh');
    assert.equal(started.code, 0, `start before ${words.join(' ')}: ${started.stderr}`);
    await lyingQemu(t, root, 'bad', lying);
  }
  const given = words.map((word) =>
    word
      .replace(/^(DSK2=)?(\w+\.(?:qcow2|iso))$/, (_, key = '', file) =>
        file.startsWith('FILE') ? word : `${key}${join(root.etcDir, file)}`,
      )
      .replace(/^@$/, 'bad')
      .replace(/^DEST$/, join(root.dir, 'dest'))
      .replace(/OTHER/, join(root.dir, 'other'))
      .replace(/^FILE/, join(root.dir, 'file')),
  );
  const [action = '', ...rest] = given;
  const args = words.includes('@') ? given : [action, 'bad', ...rest];
  const { code, stdout, stderr } = await root.run('qemu-init', [...args, '--no-color'], {
    tty: true,
    timeoutMs: 120_000,
  });
  const label = `${words.join(' ')}: ${stdout}${stderr}`.slice(0, 1000);
  assert.ok(code !== undefined && code <= 7, label);
  // Progress clears its line.
  const seen = stdout.replaceAll('\x1b[K', '');
  assert.doesNotMatch(seen, /Internal error|\n\s+at /, label);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  assert.doesNotMatch(seen, /[\x1b\x07\x9b\u202e]/, label);
}
