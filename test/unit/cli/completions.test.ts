import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ACTIONS } from '../../../src/cli/init/actions.ts';
import { repoRoot } from '../../support/repo.ts';
import { tempDir } from '../../support/temp-root.ts';

const folder = join(repoRoot, 'etc/completions');
const actions = ACTIONS.map(({ command }) => command.split(' ')[0] ?? '');

const lists: readonly (readonly [file: string, pattern: RegExp])[] = [
  ['qemu-init.bash', /_qemu_init_actions='([^']*)'/],
  ['_qemu-init', /actions=\(([^)]*)\)/],
  ['qemu-init.fish', /set --local actions (.*)/],
];

for (const [file, pattern] of lists) {
  test(`${file} completes every action and no other`, () => {
    const words =
      pattern
        .exec(readFileSync(join(folder, file), 'utf8'))?.[1]
        ?.trim()
        .split(/\s+/) ?? [];
    assert.deepEqual(words.toSorted(), actions.toSorted());
  });
}

test('bash completes actions, options and the names of machines without starting Node', (t) => {
  const root = tempDir(t);
  mkdirSync(join(root, 'etc/qemu'), { recursive: true });
  const registry = 'w=web.x\n# c=d\nb="/srv/vm/big one/big" # two\nevil=$(touch x)\n';
  writeFileSync(join(root, 'etc/qemu/qemu-init.reg'), registry);
  const complete = (...words: readonly string[]): string[] => {
    const { status, stdout, stderr } = spawnSync(
      'bash',
      ['-c', COMPLETE, 'bash', join(folder, 'qemu-init.bash'), ...words],
      {
        encoding: 'utf8',
        cwd: root,
        env: { PATH: '/usr/bin:/bin', HOME: root, QEMU_INIT_ROOT: root },
      },
    );
    assert.equal(status, 0, stderr);
    return stdout.split('\n').filter((word) => word !== '');
  };
  assert.deepEqual(complete('qemu-init', 'st'), ['start', 'stop', 'status']);
  assert.deepEqual(complete('qemu-init', 'start', 'w'), ['w', 'web.x']);
  assert.deepEqual(complete('qemu-init', 'stop', '--no-k'), ['--no-kill']);
  assert.deepEqual(complete('qemu-mon', 'b'), ['b', 'big']);
  assert.deepEqual(complete('qemu-cmd', '--t'), ['--timeout']);
  assert.deepEqual(complete('qemu-init', '--root', '/nonexistent', 'stop', ''), []);
  assert.deepEqual(complete('qemu-netif', 'u'), ['up']);
});

const COMPLETE = `
. "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
"_\${1//-/_}"
printf '%s\\n' "\${COMPREPLY[@]}"`;
