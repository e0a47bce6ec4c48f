import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ACTIONS } from '../../../src/cli/init/actions.ts';
import { firstKey, KEYS } from '../../../src/config/keys.ts';
import { repoRoot } from '../../support/repo.ts';
import { type Cleanup, tempDir } from '../../support/temp-root.ts';

const folder = join(repoRoot, 'etc/completions');

const keys = KEYS.map((spec) => `${firstKey(spec)}=`);

const keyLists: readonly (readonly [file: string, pattern: RegExp])[] = [
  ['qemu-init.bash', /^_qemu_init_keys='([^']*)'/m],
  ['_qemu-init', /^keys=\(([^)]*)\)/m],
  ['qemu-init.fish', /^set --local keys (.*)/m],
];

for (const [file, pattern] of keyLists) {
  test(`${file} has the keys of the table and no other`, () => {
    const words = pattern.exec(readFileSync(join(folder, file), 'utf8'))?.[1]?.split(' ') ?? [];
    assert.deepEqual(words, keys, 'run: node scripts/man-tables.mjs');
  });
}

test('the lists of the completions are those of the tables', () => {
  execFileSync(process.execPath, [join(repoRoot, 'scripts/man-tables.mjs'), '--check'], { stdio: 'pipe' });
});

/** Runs a shell in a scratch root with registered machines, without Node in its PATH; gives the lines that it prints. */
function shellIn(t: Cleanup, ...before: readonly string[]): (...words: readonly string[]) => string[] {
  const root = tempDir(t);
  mkdirSync(join(root, 'etc/qemu'), { recursive: true });
  const registry = 'w=web.x\n# c=d\nb="/srv/vm/big one/big" # two\nevil=$(touch x)\n';
  writeFileSync(join(root, 'etc/qemu/qemu-init.reg'), registry);
  const [shell = '', ...args] = before;
  // The second is what whoever can write to the folder may make, for root to complete.
  for (const machine of ['web.x', '$(>ran)']) {
    const point = join(root, 'store', machine, '20261127-030000');
    mkdirSync(point, { recursive: true });
    writeFileSync(join(point, 'manifest.json'), '');
  }
  return (...words) => {
    const { status, stdout, stderr } = spawnSync(shell, [...args, ...words], {
      encoding: 'utf8',
      cwd: root,
      env: { PATH: '/usr/bin:/bin', HOME: root, TERM: 'dumb', QEMU_INIT_ROOT: root },
    });
    assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
    assert.ok(!existsSync(join(root, 'ran')), 'a name is never run');
    return stdout.split('\n').filter((word) => word !== '');
  };
}

test('bash completes actions, options and the names of machines without starting Node', (t) => {
  const complete = shellIn(t, 'bash', '-c', COMPLETE, 'bash', join(folder, 'qemu-init.bash'));
  assert.deepEqual(complete('qemu-init', 'st'), ['start', 'stop', 'status']);
  assert.deepEqual(complete('qemu-init', 'start', 'w'), ['w', 'web.x']);
  assert.deepEqual(complete('qemu-init', 'stop', '--no-k'), ['--no-kill']);
  assert.deepEqual(complete('qemu-mon', 'b'), ['b', 'big']);
  assert.deepEqual(complete('qemu-cmd', '--t'), ['--timeout']);
  assert.deepEqual(complete('qemu-init', '--root', '/nonexistent', 'stop', ''), []);
  assert.deepEqual(complete('qemu-netif', 'u'), ['up']);
  assert.deepEqual(complete('qemu-init', 'create', 'x', 'RA'), ['RAM=']);
  // Bash takes = for the end of a word.
  assert.deepEqual(complete('qemu-init', 'create', 'x', 'RAM', '=', '1G', 'DSK'), ['DSK1=']);
  assert.deepEqual(complete('qemu-init', 'create', ''), []);
  assert.deepEqual(complete('qemu-init', 'completion', ''), ['bash', 'zsh', 'fish']);
  assert.deepEqual(complete('qemu-init', 'jobs', 'ca'), ['cancel']);
  assert.deepEqual(complete('qemu-init', 'jobs', 'cancel', 'w'), ['w', 'web.x']);
  assert.deepEqual(complete('qemu-init', 'agent', 'w'), ['w', 'web.x']);
  assert.deepEqual(complete('qemu-init', 'agent', 'w', 'p'), ['ping', 'put', 'passwd']);
  assert.deepEqual(complete('qemu-init', 'log', '--tr'), ['--trim']);
  assert.deepEqual(complete('qemu-init', 'vnc', '--al'), []);
  assert.deepEqual(complete('qemu-init', 'restore', 'sto'), ['store']);
  assert.deepEqual(complete('qemu-init', 'restore', 'store', ''), ['web.x', 'web.x@20261127-030000']);
  assert.deepEqual(complete('qemu-init', 'restore', 'store', 'web.x@'), ['web.x@20261127-030000']);
  assert.deepEqual(complete('qemu-init', 'backup', 'delete', 'store', 'w'), ['web.x', 'web.x@20261127-030000']);
  assert.deepEqual(complete('qemu-init', 'backup', 'create', 'w'), ['w', 'web.x']);
  assert.deepEqual(complete('qemu-init', 'backup', 'create', 'w', 'sto'), ['store']);
});

test('fish completes actions and the names of machines', (t) => {
  const script = 'source $argv[1]; complete --do-complete $argv[2]';
  const complete = shellIn(t, 'fish', '--no-config', '--command', script, '--', join(folder, 'qemu-init.fish'));
  assert.deepEqual(complete('qemu-init try'), ['try-restart\tRestart machines that are running']);
  assert.deepEqual(complete('qemu-init start w'), ['w', 'web.x']);
  assert.deepEqual(complete('qemu-init stop b'), ['b', 'big']);
  assert.deepEqual(complete('qemu-init agent w pi'), ['ping\tWhether it answers']);
  assert.deepEqual(complete('qemu-init agent b'), ['b', 'big']);
  assert.deepEqual(complete('qemu-init create x RA'), ['RAM=']);
  assert.deepEqual(complete('qemu-init create '), []);
  assert.deepEqual(complete('qemu-init completion ').toSorted(), ['bash', 'fish', 'zsh']);
  assert.deepEqual(complete('qemu-init log --tri'), ['--trim\tPrint nothing: shorten all logs larger than 4 MiB']);
  assert.deepEqual(complete('qemu-init stop --no-k')[0]?.split('\t')[0], '--no-kill');
  assert.deepEqual(complete('qemu-init jobs ca'), ['cancel\tCancel a job, or forget one that has ended']);
  assert.deepEqual(complete('qemu-init log w --mac'), []);
  assert.ok(complete('qemu-init restore store w').includes('web.x@20261127-030000'));
  assert.ok(complete('qemu-init restore store ').every((word) => word.startsWith('web.x')));
  assert.ok(complete('qemu-init backup verify store w').includes('web.x@20261127-030000'));
  assert.deepEqual(complete('qemu-init backup create w'), ['w', 'web.x']);
  assert.ok(complete('qemu-init restore sto').some((word) => word.startsWith('store')));
  const another = shellIn(t, 'fish', '--no-config', '--command', script, '--', join(folder, 'qemu-mon.fish'));
  assert.deepEqual(another('qemu-mon b'), ['b', 'big']);
  const netif = shellIn(t, 'fish', '--no-config', '--command', script, '--', join(folder, 'qemu-netif.fish'));
  assert.deepEqual(netif('qemu-netif u'), ['up\tAttach a tap to its bridge and bring it up']);
  assert.deepEqual(netif('qemu-netif bridge sh'), ['show\tShow bridges with their ports']);
  assert.deepEqual(netif('qemu-netif bridge del l'), ['lo']);
});

test('zsh completes actions and the names of machines', (t) => {
  const complete = shellIn(t, 'zsh', '-f', '-c', ZSH_COMPLETE, 'zsh', folder);
  const described = ACTIONS.map(({ command, describe }) => `${command.split(' ')[0]}:${describe}`);
  assert.deepEqual(complete('qemu-init', ''), described);
  assert.ok(complete('qemu-init', 'log', '--').includes('--trim:Print nothing: shorten all logs larger than 4 MiB'));
  assert.ok(complete('qemu-init', 'stop', '-').some((word) => word.startsWith('--no-kill:')));
  assert.ok(complete('qemu-init', 'jobs', '').includes('cancel:Cancel a job, or forget one that has ended'));
  assert.deepEqual(complete('qemu-init', 'start', '').toSorted(), ['b', 'big', 'w', 'web.x']);
  assert.deepEqual(complete('qemu-mon', '').toSorted(), ['b', 'big', 'w', 'web.x']);
  // Options before the action are passed over.
  assert.deepEqual(complete('qemu-init', '--json', ''), described);
  assert.deepEqual(complete('qemu-init', '--root', '/x', '--json', 'st'), described);
  assert.deepEqual(complete('qemu-init', '--json', 'start', '').toSorted(), ['b', 'big', 'w', 'web.x']);
  assert.ok(complete('qemu-netif', '').includes('up:Attach a tap to its bridge and bring it up'));
  assert.ok(complete('qemu-netif', 'bridge', '').includes('show:Show bridges with their ports'));
  assert.ok(complete('qemu-netif', 'down', '').includes('lo'));
  assert.deepEqual(complete('qemu-init', 'create', 'x', ''), keys);
  assert.deepEqual(complete('qemu-init', 'create', ''), []);
  assert.deepEqual(complete('qemu-init', 'completion', ''), ['bash', 'zsh', 'fish']);
  assert.deepEqual(complete('qemu-init', 'restore', 'store', ''), ['web.x', 'web.x@20261127-030000']);
});

/** What zsh would offer, without the terminal that its completion system wants: both get the name of an array. */
const ZSH_COMPLETE = `
fpath=("$1" $fpath); shift
_describe() { print -l -- \${(P)argv[-1]} }
compadd() { print -l -- \${(P)argv[-1]} }
autoload -Uz _qemu-init
words=("$@") CURRENT=$# service=$1
_qemu-init`;

const COMPLETE = `
. "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
"_\${1//-/_}"
printf '%s\\n' "\${COMPREPLY[@]}"`;
