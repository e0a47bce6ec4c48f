import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { nameOf } from '../../src/cli/help/command.ts';
import { ACTIONS } from '../../src/cli/init/actions.ts';
import { PLAIN } from '../../src/cli/qemu-init.ts';
import { parseJson, type Tool } from '../support/cli.ts';
import { assertError } from '../support/documents.ts';
import { lab } from '../support/lab.ts';
import { repoRoot } from '../support/repo.ts';

test('a call without a word gets the names of all actions, and what to type first', async (t) => {
  const { code, stdout, stderr } = await lab(t).init();
  assert.deepEqual([code, stdout], [2, '']);
  for (const action of ACTIONS) assert.match(stderr, new RegExp(`\\b${nameOf(action)}\\b`));
  assert.match(stderr, /qemu-init create NAME/);
});

test('with --json a mistake on the command line is a failure document too', async (t) => {
  const root = lab(t);
  const calls: readonly (readonly [tool: Tool, ...args: string[]])[] = [
    ['qemu-init', 'foo', '--json'],
    ['qemu-init', '--json'],
    ['qemu-init', 'start', 'a', '--foo', '--json'],
    ['qemu-init', 'start', '--json', '--json'],
    ['qemu-init', 'completion', 'foo', '--json'],
    ['qemu-init', '--json', 'explain'],
    ['qemu-cmd', '--json', '--foo', 'a'],
    ['qemu-mon', '--json'],
    ['qemu-netif', 'bridge', '--json'],
    ['qemu-netif', 'up', '--json'],
  ];
  for (const [tool, ...args] of calls) {
    const result = await root.run(tool, args);
    assert.equal(result.code, 2, args.join(' '));
    const [failure, ...more] = parseJson(result) as readonly { readonly name: unknown; readonly error: unknown }[];
    assert.deepEqual([failure?.name, more], [null, []]);
    assertError(failure?.error);
    const [{ error }] = JSON.parse(result.stdout);
    assert.equal(error.code, 'QEMU_USAGE');
    assert.ok(result.stderr.startsWith(`${tool}: ${error.message}\n`), result.stderr);
  }
  // A word after -- is not an option.
  assert.equal((await root.run('qemu-mon', ['--', '--json', 'two'])).stdout, '');
  // It is a word that the action sees, also one that may be missing.
  root.add('web');
  assert.match(
    (await root.init('snapshot', 'create', 'web', '--', '-x')).stderr,
    /^web: "-x" is not a name for a snap/,
  );
});

test('an unknown option is named as it was written, whatever else is missing', async (t) => {
  const root = lab(t);
  const calls: readonly (readonly [option: string, tool: Tool, ...args: string[]])[] = [
    ['--foo', 'qemu-mon', '--foo', 'a'],
    ['--foo', 'qemu-cmd', '--foo'],
    ['--foo', 'qemu-netif', '--foo', 'up'],
    ['--foo', 'qemu-netif', 'bridge', 'add', '--foo'],
    ['--foo', 'qemu-init', '--foo'],
    ['--foo', 'qemu-init', 'explain', '--foo', 'a'],
    ['--dry-run', 'qemu-init', 'stop', '--dry-run', 'a'],
    ['-x', 'qemu-init', 'log', '-x'],
  ];
  for (const [option, tool, ...args] of calls) {
    const result = await root.run(tool, args);
    assert.equal(result.code, 2);
    assert.ok(result.stderr.startsWith(`${tool}: Unknown option "${option}"\n`), result.stderr);
  }
  const twice = await root.run('qemu-cmd', ['-c', 'a', '-c', 'b', 'web']);
  assert.match(twice.stderr, /^qemu-cmd: -c was given more than once$/m);
  const near = await root.init('stop', '--forse', 'a');
  assert.match(near.stderr, /hint: did you mean "--force"\?/);
});

test('an action for programs refuses a word that it has no use for, before it does anything', async (t) => {
  const root = lab(t);
  const names = ACTIONS.map(nameOf);
  // Of those that no help names, this one alone takes machines.
  const forPrograms = Object.keys(PLAIN).filter((name) => !names.includes(name) && name !== 'ended');
  assert.ok(forPrograms.length > 3, forPrograms.join());
  for (const action of forPrograms) {
    const { code, stdout, stderr } = await root.init(action, 'extra');
    assert.deepEqual([code, stdout], [2, ''], action);
    assert.equal(stderr, 'qemu-init: Unexpected argument "extra"\n');
  }
});

test('a word that is missing is called what it is', async (t) => {
  const root = lab(t);
  const calls: readonly (readonly [what: string, tool: Tool, ...args: string[]])[] = [
    ['machine', 'qemu-mon'],
    ['machine', 'qemu-init', 'explain'],
    ['machine', 'qemu-init', 'stop'],
    ['name', 'qemu-init', 'create'],
    ['machine', 'qemu-init', 'attach'],
    ['KEY=VALUE', 'qemu-init', 'attach', 'web'],
    ['key', 'qemu-init', 'sendkey', 'web'],
    ['network card', 'qemu-init', 'nic', 'link', 'web'],
    ['new name', 'qemu-init', 'clone', 'web'],
    ['shell', 'qemu-init', 'completion'],
    ['tap', 'qemu-netif', 'up'],
    ['bridge', 'qemu-netif', 'bridge', 'add'],
  ];
  for (const [what, tool, ...args] of calls) {
    const result = await root.run(tool, args);
    assert.equal(result.code, 2);
    assert.match(result.stderr, new RegExp(`^${tool}: No ${what} was given\\n  hint: `));
  }
});

test('without a name status and list are for all machines, and say what to do when there is none', async (t) => {
  const root = lab(t);
  for (const [action, ...rest] of [
    ['status'],
    ['list'],
    ['check'],
    ['start', '--all'],
    ['snapshot', 'list'],
  ] as const) {
    const none = await root.init(action, ...rest);
    assert.deepEqual([none.code, none.stdout], [0, '']);
    assert.match(none.stderr, /^no machine yet; create one: qemu-init create /);
    assert.equal((await root.init(action, ...rest, '--json')).stdout, '[]\n');
  }
  assert.equal((await root.init('stop', '--all')).stderr, 'no machine is running\n');
  root.add('a');
  root.add('b');
  assert.equal((await root.init('status')).stdout, (await root.init('status', '--all')).stdout);
  assert.match((await root.init('list', '--all')).stdout, /^a .*\nb /m);
});

test('the words of other tools lead to the action that is meant', async (t) => {
  const root = lab(t);
  root.add('web');
  for (const [words, hint] of [
    [['shutdown', 'web'], 'did you mean "stop"? see: qemu-init stop --help'],
    [['db', 'start'], 'the action comes first: qemu-init start db'],
    // A name that many machines have is that of an action, too.
    [['web', 'start'], 'the action comes first: qemu-init start web'],
    [['snapshot', 'rm', 'web', 'x'], 'did you mean "snapshot delete"? see: qemu-init snapshot --help'],
    [['domblklist', 'web'], 'did you mean "disk"? see: qemu-init disk --help'],
    [['start', 'all'], 'for all machines: --all'],
    [['start', 'web-qemu'], 'did you mean "web"? see: qemu-init list'],
    [['start', 'web-qemu.cfg'], `did you mean "web", the machine of "${join(root.etcDir, 'web-qemu.cfg')}"?`],
    [['start', 'web,web'], 'names are separated by blanks: web web'],
    [['stop', '--time', '5', 'web'], 'did you mean "--timeout"? see: qemu-init stop --help'],
  ] as const) {
    const result = await root.init(...words);
    assert.ok(result.stderr.includes(`hint: ${hint}\n`), result.stderr);
  }
  assert.equal((await root.init('help', 'start')).stdout, (await root.init('start', '--help')).stdout);
  assert.equal((await root.init('version')).stdout, (await root.init('--version')).stdout);
});

test('every tool has its help in one form, without words of the parser', async (t) => {
  const root = lab(t);
  for (const [tool, ...words] of [
    ['qemu-init'],
    ['qemu-init', 'start'],
    ['qemu-mon'],
    ['qemu-cmd'],
    ['qemu-netif'],
    ['qemu-netif', 'up'],
    ['qemu-netif', 'bridge'],
    ['qemu-netif', 'bridge', 'add'],
  ] as const) {
    const { code, stdout } = await root.run(tool, [...words, '--help']);
    assert.deepEqual([code, stdout.startsWith(`${[tool, ...words].join(' ')} `)], [0, true], stdout);
    assert.doesNotMatch(stdout, /\[(?:boolean|string|array|required|default)|(?<!\.)\.\.\]|Positionals|Show version/);
    assert.match(stdout, /\n\nOutput:\n(.|\n)*\n\nScope:\n/);
  }
});

test('a command of qemu-netif that does not exist leads to the one that is meant', async (t) => {
  const root = lab(t);
  for (const [words, message, hint] of [
    [
      ['bridge', 'list'],
      'There is no command "bridge list"',
      'did you mean "bridge show"? see: qemu-netif bridge --help',
    ],
    [
      ['bridge', 'rm', 'br0'],
      'There is no command "bridge rm"',
      'did you mean "bridge del"? see: qemu-netif bridge --help',
    ],
    [['bridge'], '"bridge" needs one of: add, del, show', 'see: qemu-netif bridge --help'],
    [['brigde'], 'There is no command "brigde"', 'did you mean "bridge"? see: qemu-netif --help'],
    [
      ['bridge', 'add', 'br0', '--uplnk', 'eth0'],
      'Unknown option "--uplnk"',
      'did you mean "--uplink"? see: qemu-netif bridge add --help',
    ],
  ] as const) {
    const { code, stderr } = await root.run('qemu-netif', words);
    assert.deepEqual([code, stderr], [2, `qemu-netif: ${message}\n  hint: ${hint}\n`]);
  }
});

test('every command line of the units means an action with its options', async (t) => {
  const root = lab(t);
  const folders = ['systemd', 'systemd/user'].map((name) => join(repoRoot, name));
  const texts = folders.flatMap((folder) =>
    readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => readFileSync(join(folder, name), 'utf8')),
  );
  const lines = texts.flatMap((text) =>
    [...text.matchAll(/\/usr\/bin\/qemu-init ([a-z][^'\n]*)/g)].map(([, words = '']) => words),
  );
  assert.ok(lines.some((line) => line.startsWith('ended --user')) && lines.length > 6, lines.join('\n'));
  const env = { HOME: root.dir, XDG_RUNTIME_DIR: root.dir, QEMU_INIT_ROOT: undefined };
  for (const line of new Set(lines)) {
    const words = line
      .trim()
      .replaceAll(/%i|"\$\$0"/g, 'nobody')
      .split(' ')
      .filter((word) => !/[$;]|^--system$/.test(word));
    const scope = words.includes('--user') ? [] : ['--root', root.dir];
    // A server ends when it is told to.
    const idle = words.map((word, at) => (words[at - 1] === '--idle' ? '0.1' : word));
    const result = await root.run('qemu-init', [...idle, ...scope], { env });
    assert.notEqual(result.code, 2, `${line}: ${result.stderr}`);
  }
});

test('usage errors have the colour of others', async (t) => {
  const root = lab(t);
  const red = '\x1b[31m';
  for (const args of [
    ['start', '--foo', '--color'],
    ['--color', 'start', 'nope'],
    ['foo', '--color'],
  ]) {
    assert.ok((await root.init(...args)).stderr.startsWith(red), args.join(' '));
  }
  const env = { FORCE_COLOR: '1' };
  assert.ok((await root.run('qemu-init', ['start', '--foo'], { env })).stderr.startsWith(red));
  for (const more of [{ NO_COLOR: '1' }, {}]) {
    const args = 'NO_COLOR' in more ? ['start', '--foo'] : ['start', '--foo', '--no-color'];
    const plain = await root.run('qemu-init', args, { env: { ...env, ...more } });
    assert.match(plain.stderr, /^qemu-init: /);
  }
});

test('messages have the priorities of the journal where stderr is the journal, and nowhere else', (t) => {
  const root = lab(t);
  const log = root.write('stderr', '');
  const { dev, ino } = statSync(log, { bigint: true });
  const said = (stream: string): string => {
    const command = `exec "$@" 2>"${log}"`;
    const tool = join(repoRoot, 'bin/qemu-init');
    const { status } = spawnSync(
      'sh',
      ['-c', command, 'sh', process.execPath, tool, '--root', root.dir, 'start', 'nope'],
      {
        env: { ...process.env, JOURNAL_STREAM: stream },
      },
    );
    assert.equal(status, 6);
    return readFileSync(log, 'utf8');
  };
  assert.match(said(`${dev}:${ino}`), /^<3>nope: There is no machine/);
  assert.match(said('1:1'), /^nope: There is no machine/);
});

test('a machine whose file is broken fails a start at boot, and the others start', async (t) => {
  const root = lab(t);
  root.add('web', 'AUTOSTART=on\n');
  root.add('bad', 'AUTOSTART=on\nRMA=1\n');
  const result = await root.init('start', '--autostart', '--json');
  assert.equal(result.code, 6);
  assert.match(result.stderr, /bad: Cannot determine whether to start machine "bad"\n.*bad-qemu\.cfg:\d+: .*"RMA"/);
  const [web, bad] = JSON.parse(result.stdout);
  assert.deepEqual([web.name, web.outcome, bad.name, bad.outcome], ['web', 'started', 'bad', 'failed']);
  assert.equal(bad.error.code, 'QEMU_CONFIG_INVALID');
  await root.ok('kill', 'web');
});
