import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { ACTIONS } from '../../src/cli/init/actions.ts';
import { lab } from '../support/lab.ts';
import { repoRoot } from '../support/repo.ts';

const pages = readdirSync(join(repoRoot, 'docs')).filter((name) => name.endsWith('.md'));

const documents = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', ...pages.map((name) => `docs/${name}`)].map(
  (path) => ({
    path,
    text: readFileSync(join(repoRoot, path), 'utf8'),
  }),
);

for (const { path, text } of documents) {
  test(`what ${path} links to is there`, () => {
    const targets = [...text.matchAll(/\]\(([^)#]+)[^)]*\)/g)].map(([, target = '']) => target);
    const missing = targets.filter(
      (target) => !/^https?:/.test(target) && !existsSync(join(repoRoot, dirname(path), target)),
    );
    assert.deepEqual(missing, []);
  });

  test(`${path} names only scripts of package.json and actions that there are`, () => {
    const { scripts } = JSON.parse(readFileSync(join(repoRoot, 'package.json'), 'utf8'));
    const actions = new Set(ACTIONS.map(({ command }) => command.split(' ')[0]));
    const named = (pattern: RegExp): string[] => [...text.matchAll(pattern)].map(([, name = '']) => name);
    assert.deepEqual(
      named(/\bnpm run ([a-z-]+)/g).filter((name) => !Object.hasOwn(scripts, name)),
      [],
    );
    assert.deepEqual(
      named(/(?:`|^|\$ |bin\/)qemu-init ([a-z][a-z-]*)/gm).filter((name) => !actions.has(name)),
      [],
    );
  });
}

test('the example of docs/library.md runs', async (t) => {
  const root = lab(t);
  root.add('web');
  await root.ok('start', 'web');
  await root.ok('wait', 'web', '--for', 'console=.');
  const code =
    /^```js\n(.*?)^```/ms.exec(documents.find(({ path }) => path === 'docs/library.md')?.text ?? '')?.[1] ?? '';
  const library = pathToFileURL(join(repoRoot, 'dist/lib/index.js')).href;
  const file = root.write('example.mjs', code.replace("'qemu-init'", `'${library}'`));
  const { stdout, stderr } = spawnSync(process.execPath, [file], {
    encoding: 'utf8',
    env: { ...process.env, QEMU_INIT_ROOT: root.dir },
  });
  assert.equal(stderr, '');
  assert.match(stdout, /^web running\nQEMU \d+\.\d+\.\d+\ndown, by the guest itself: true\n$/);
});

test('docs/host.md says of every package that is used at run time why', () => {
  const { dependencies } = JSON.parse(readFileSync(join(repoRoot, 'package.json'), 'utf8'));
  const text = readFileSync(join(repoRoot, 'docs/host.md'), 'utf8');
  const rows = [...text.matchAll(/^\| \[([\w-]+)\]\(https:\/\/www\.npmjs\.com/gm)].map(([, name]) => name);
  assert.deepEqual(rows.toSorted(), Object.keys(dependencies).toSorted());
});

test('README.md stays short', () => {
  assert.ok((documents[0]?.text.split('\n').length ?? 0) <= 121);
});
