import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { packedFiles } from '../support/package.ts';
import { repoRoot } from '../support/repo.ts';

const manifest = JSON.parse(readFileSync(join(repoRoot, 'package.json'), 'utf8'));
const files = packedFiles();
const paths = new Set(files.map(({ path }) => path));

test('the package holds what users need', () => {
  const needed = ['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md', 'etc/qemu/template-qemu.cfg'];
  assert.deepEqual(
    [...needed, ...Object.values(manifest.bin)].filter((path) => !paths.has(String(path))),
    [],
  );
});

test('what the README links to is in the package', () => {
  const text = readFileSync(join(repoRoot, 'README.md'), 'utf8');
  const links = [...text.matchAll(/\]\(([\w./-]+)\)/g)].map(([, path = '']) => path.replace(/\/$/, ''));
  assert.ok(links.length > 10);
  const missing = links.filter((link) => ![...paths].some((path) => path === link || path.startsWith(`${link}/`)));
  assert.deepEqual(missing, ['CONTRIBUTING.md']);
});

test('the package holds nothing else', () => {
  const wanted =
    /^(bin\/|dist\/(bin|lib|man|web)\/|etc\/|systemd\/|docs\/|examples\/|schemas\/|(README|SECURITY|CHANGELOG)\.md$|LICENSE$|package\.json$)/;
  const unwanted = /\.(test\.js|map|tsbuildinfo)$|\/\.|~$/;
  assert.deepEqual(
    [...paths].filter((path) => !wanted.test(path) || unwanted.test(path)),
    [],
  );
});

const REGISTRY = 'https://registry.npmjs.org/';

test('every package that npm ci installs is checked against a SHA-512 sum, and comes from the registry', () => {
  const lock: unknown = JSON.parse(readFileSync(join(repoRoot, 'package-lock.json'), 'utf8'));
  assert.ok(typeof lock === 'object' && lock !== null && 'packages' in lock);
  const { '': own, ...packages } = lock.packages as Record<string, { integrity?: string; resolved?: string }>;
  assert.ok(own !== undefined && Object.keys(packages).length > 100);
  const unchecked = Object.entries(packages).filter(
    ([, { integrity = '', resolved = REGISTRY }]) =>
      !/^sha512-[\w+/]{86}==$/.test(integrity) || !resolved.startsWith(REGISTRY),
  );
  // npm leaves the sums of other platforms' packages out when node_modules is there: remove those entries, and run
  // "npm install --package-lock-only" in a folder without node_modules.
  assert.deepEqual(
    unchecked.map(([name]) => name),
    [],
  );
});

test('what "exports", "bin" and "man" of package.json name is in the package', () => {
  const named = [...leaves(manifest.exports), ...leaves(manifest.bin), ...leaves(manifest.man ?? [])];
  assert.deepEqual(
    named.map((path) => path.replace(/^\.\//, '')).filter((path) => !isThere(path)),
    [],
  );
});

/** Of a pattern such as `schemas/*.json` some file has to be there. */
function isThere(path: string): boolean {
  const [start = '', end] = path.split('*');
  return end === undefined ? paths.has(path) : [...paths].some((each) => each.startsWith(start) && each.endsWith(end));
}

for (const { path, mode } of files.filter((file) => /^bin\/[a-z-]+$/.test(file.path))) {
  test(`${path} can be executed, and does no more than say that it is not built, or call main()`, () => {
    assert.equal(mode & 0o111, 0o111);
    const text = readFileSync(join(repoRoot, path), 'utf8');
    const check = String.raw`(const isBuilt = [^\n]+\nif \(!isBuilt\) console\.error\([^\n]+\nelse )?`;
    assert.match(
      text,
      new RegExp(String.raw`^#!/usr/bin/env node\nprocess\.exitCode = 1;\n${check}require\([^\n]+\)\.main\([^\n]+\n$`),
    );
  });
}

test('everybody may read what is published', () => {
  const locked = [...paths].filter((path) => (statSync(join(repoRoot, path)).mode & 0o444) !== 0o444);
  assert.deepEqual(locked, []);
});

test('publint has no complaint', async () => {
  const { messages } = await publint({ pkgDir: repoRoot, strict: true, pack: 'npm' });
  assert.deepEqual(
    messages.map((message) => formatMessage(message, manifest, { color: false })),
    [],
  );
});

test('the types fit the modules for every way of importing them that Node has (attw)', () => {
  const { status, stdout, stderr } = spawnSync('attw', ['--pack', '.', '--profile', 'esm-only', '--no-color'], {
    cwd: repoRoot,
    encoding: 'utf8',
    env: { ...process.env, PATH: `${join(repoRoot, 'node_modules/.bin')}:${process.env['PATH']}` },
  });
  assert.equal(status, 0, stdout + stderr);
  assert.ok(!existsSync(join(repoRoot, `qemu-init-${manifest.version}.tgz`)), 'attw left its package behind');
});

function leaves(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(leaves) : [];
}
