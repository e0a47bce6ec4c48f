/** Runs all linters, prints one line for each, and the complaints of those that have any. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from './run.mjs';

const LINTERS = [
  { name: 'biome', command: ['biome', 'check', '--colors=off', '--max-diagnostics=50', '.'] },
  { name: 'oxlint', command: ['oxlint', '--type-aware'] },
  { name: 'tsc', command: ['tsc', '-p', 'tsconfig.test.json', '--noEmit', '--pretty', 'false'] },
  { name: 'knip', command: ['knip', '--no-progress'] },
  { name: 'shellcheck', command: ['shellcheck', '--external-sources', ...shellScripts()] },
];

/**
 * Whether all linters are content.
 *
 * @param {{ types?: boolean }} [options] `types: false` leaves out what the compiler says when it compiles
 */
export async function lint({ types = true } = {}) {
  const outcomes = await Promise.all(LINTERS.filter(({ name }) => types || name !== 'tsc').map(lintBy));
  return outcomes.every((clean) => clean);
}

async function lintBy({ name, command: [file, ...args] }) {
  const { code, output } = await run(file, args, { timeoutMs: 300_000 });
  console.log(`lint ${name}: ${code === 0 ? 'ok' : `FAILED\n${output.trimEnd()}`}`);
  return code === 0;
}

function shellScripts() {
  return [
    'scripts',
    'scripts/deb',
    '.ci',
    'etc/init.d',
    'etc/openrc',
    'etc/bash_completion.d',
    'systemd',
    'etc/ocf',
    'test/support',
  ]
    .flatMap(filesIn)
    .filter(isShell);
}

function filesIn(dir) {
  try {
    return readdirSync(join(root, dir), { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(dir, entry.name));
  } catch (error) {
    // Not every one of the folders is there.
    if (error.code === 'ENOENT') return [];
    throw error;
  }
}

function isShell(path) {
  return path.endsWith('.sh') || /^#!.*(sh|openrc-run)\n/.test(readFileSync(join(root, path), 'utf8'));
}

if (process.argv[1] === import.meta.filename) process.exitCode = (await lint()) ? 0 : 1;
