import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';
import { repoRoot } from '../support/repo.ts';

/**
 * What each folder of src may import besides itself; types count. This is the one place of the rule:
 * `base ← qmp, config, system ← domain ← machine ← network ← fleet ← provision, metrics ← web ← cli`.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = inOrder([
  ['base'],
  ['qmp', 'config', 'system'],
  ['domain'],
  ['machine'],
  ['network'],
  ['fleet'],
  ['provision', 'metrics'],
  ['web'],
  ['index', 'cli'],
]);

/** Where a package or a dangerous module of Node may be imported: whole folders end in "/". */
const ONLY_IN: Readonly<Record<string, readonly string[]>> = {
  yargs: ['cli/'],
  'yargs/yargs': [],
  'yargs/helpers': [],
  ini: ['config/text/ini.ts'],
  'proper-lockfile': ['system/lock/lock.ts'],
  ws: ['web/'],
  'node:http': ['web/'],
  'node:child_process': ['system/'],
  'node:net': ['qmp/', 'system/', 'testing/'],
  'node:tls': ['qmp/', 'system/', 'testing/'],
};

const IMPORT = /^(?:import|export)\s[^;]*?from\s+'([^']+)'|^import\s+'([^']+)'|\bimport\(\s*'([^']+)'/gm;

const sources = readdirSync(join(repoRoot, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map((path) => ({ path, text: readFileSync(join(repoRoot, 'src', path), 'utf8') }));

test('a layer imports only from layers to its left', () => {
  const wrong = sources.flatMap(({ path, text }) => {
    const layer = layerOf(path);
    const allowed = MAY_IMPORT[layer];
    if (allowed === undefined) return [`src/${layer} is no known layer`];
    return importsOf(text)
      .filter((target) => target.startsWith('.'))
      .map((target) => ({ target, to: layerOf(normalize(join(dirname(path), target))) }))
      .filter(({ to }) => to !== layer && !allowed.includes(to))
      .map(({ target }) => `src/${path} imports ${target}`);
  });
  assert.deepEqual(wrong, []);
});

test('no files import each other in a circle, types included', () => {
  const imports = new Map(
    sources.map(({ path, text }) => [
      path,
      importsOf(text)
        .filter((target) => target.startsWith('.'))
        .map((target) => normalize(join(dirname(path), target))),
    ]),
  );
  // What imports nothing that is left is taken away until only circles, and what leads to them, are left.
  for (;;) {
    const free = [...imports].filter(([, targets]) => !targets.some((target) => imports.has(target)));
    if (free.length === 0) break;
    for (const [path] of free) imports.delete(path);
  }
  assert.deepEqual([...imports.keys()], []);
});

test('no folder is too full to be read at a glance', () => {
  const count = (folder: string): number => sources.filter(({ path }) => dirname(path) === folder).length;
  const folders = [...new Set(sources.map(({ path }) => dirname(path)))];
  const full = folders.filter((folder) => count(folder) > 25);
  assert.deepEqual(full, []);
});

test('the map in CONTRIBUTING.md names every folder, and nothing that is not there', () => {
  const guide = readFileSync(join(repoRoot, 'CONTRIBUTING.md'), 'utf8');
  const rows = guide.split('\n').filter((line) => line.startsWith('| `'));
  const paths = [...guide.matchAll(/`((?:src|test|scripts|bin|docs|etc|systemd|schemas|examples)\/[^`\s*]*)`/g)].map(
    ([, path = '']) => path,
  );
  const missing = paths.filter((path) => !/GROUP/.test(path) && !existsSync(join(repoRoot, path)));
  assert.deepEqual(missing, []);
  const folders = [...new Set(sources.map(({ path }) => path.split('/').slice(0, -1).slice(0, 2).join('/')))];
  const unnamed = folders.filter((folder) => {
    const [layer = '', part] = folder.split('/');
    if (part === undefined) return layer !== '' && !paths.includes(`src/${layer}/`);
    const isNamed = (row: string): boolean => row.includes(`\`${part}/\``);
    if (layer === 'machine') return !rows.some(isNamed);
    return !rows.filter((row) => row.startsWith(`| \`src/${layer}/\``)).some(isNamed);
  });
  assert.deepEqual(unnamed, []);
});

test('each package and each module for processes and sockets has its one place', () => {
  const wrong = sources.flatMap(({ path, text }) =>
    importsOf(text)
      .filter((target) => ONLY_IN[target]?.some((place) => place === path || isBelow(path, place)) === false)
      .map((target) => `src/${path} imports ${target}`),
  );
  assert.deepEqual(wrong, []);
});

test('nothing is removed by path with all that is below it', () => {
  // Where another user can write, a folder may become a link in the middle of it: see system/files/remove-tree.ts.
  const wrong = sources.filter(({ text }) =>
    /\brm(Sync|dirSync|dir)?\([^;]*recursive: true/.test(withoutComments(text)),
  );
  assert.deepEqual(
    wrong.map(({ path }) => path),
    [],
  );
});

test('no package is imported but those that package.json lists', () => {
  const { dependencies } = JSON.parse(readFileSync(join(repoRoot, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  const used = new Set(sources.flatMap(({ text }) => importsOf(text)).filter((target) => /^[a-z@]/.test(target)));
  const packages = [...used].filter((target) => !target.startsWith('node:'));
  // The build puts it into the tool: the library does without.
  assert.deepEqual(packages.filter((name) => name !== 'ws').sort(), Object.keys(dependencies).sort());
});

test('only the command line tools touch the arguments, the standard streams and the exit status', () => {
  const wrong = sources
    .filter(({ path }) => !isBelow(path, 'cli/'))
    .filter(({ text }) =>
      /(?<![.\w])process\.(?:argv(?:\[|\.slice)|stdin|stdout|stderr|exitCode)|\bconsole\.(?:log|info|warn|error|debug)\(/.test(
        withoutComments(text),
      ),
    )
    .map(({ path }) => `src/${path}`);
  assert.deepEqual(wrong, []);
});

test('a user without a name, as in many containers, is thought of wherever names are asked for', () => {
  const found = sources.filter(({ text }) => /\buserInfo\(/.test(text)).map(({ path }) => path);
  assert.deepEqual(found, ['system/users.ts']);
});

test('nobody ends the process', () => {
  const wrong = sources.filter(({ text }) => /\bprocess\.(?:exit|abort|reallyExit)\(/.test(withoutComments(text)));
  assert.deepEqual(
    wrong.map(({ path }) => `src/${path}`),
    [],
  );
});

/** Each layer may import all layers before its own. `testing`, which is published by itself, has only the protocol. */
function inOrder(layers: readonly (readonly string[])[]): Readonly<Record<string, readonly string[]>> {
  const rules = layers.flatMap((names, at) => names.map((name) => [name, layers.slice(0, at).flat()] as const));
  return { ...Object.fromEntries(rules), testing: ['base', 'qmp'] };
}

/** The folder of a file of src, or the name of a file that lies in src itself: that is index.ts alone. */
function layerOf(path: string): string {
  return path.includes('/') ? path.slice(0, path.indexOf('/')) : path.replace(/\.ts$/, '');
}

function isBelow(path: string, place: string): boolean {
  return place.endsWith('/') && path.startsWith(place);
}

function importsOf(text: string): string[] {
  return [...text.matchAll(IMPORT)].map(([, from, bare, dynamic]) => from ?? bare ?? dynamic ?? '');
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
}

test('no program gets all of the environment of the caller', () => {
  const found = sources.filter(({ text }) => /\.\.\.process\.env\b|env: process\.env\b/.test(text));
  assert.deepEqual(
    found.map(({ path }) => path),
    [],
  );
});
