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

/** Whether all linters are content. */
export async function lint() {
  let clean = true;
  for (const { name, command } of LINTERS) {
    const [file, ...args] = command;
    const { code, output } = await run(file, args, { timeoutMs: 120_000 });
    console.log(`lint ${name}: ${code === 0 ? 'ok' : 'FAILED'}`);
    if (code !== 0) console.log(output.trimEnd());
    clean &&= code === 0;
  }
  return clean;
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
