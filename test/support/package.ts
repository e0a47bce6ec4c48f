import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { repoRoot } from './repo.ts';
import { type Cleanup, tempDir } from './temp-root.ts';

export interface PackedFile {
  readonly path: string;
  readonly mode: number;
}

/** The files that `npm publish` would send. */
export function packedFiles(): readonly PackedFile[] {
  return pack('--dry-run').files;
}

/**
 * A fresh project that has the packed package installed, with nothing else of the checkout: its folder.
 *
 * What the package depends on is linked from the checkout, so that no registry is needed.
 */
export function installPacked(t: Cleanup): string {
  const project = tempDir(t);
  const target = join(project, 'node_modules/qemu-init');
  mkdirSync(target, { recursive: true });
  const { filename } = pack('--pack-destination', project);
  execFileSync('tar', ['-xzf', join(project, filename), '-C', target, '--strip-components=1']);
  for (const name of ['ini', 'proper-lockfile', 'yargs', '@types', 'typescript', '@typescript', 'undici-types']) {
    symlinkSync(join(repoRoot, 'node_modules', name), join(project, 'node_modules', name));
  }
  return project;
}

function pack(...options: string[]): { readonly filename: string; readonly files: readonly PackedFile[] } {
  const args = ['pack', '--json', '--ignore-scripts', '--loglevel=error', ...options];
  const [packed] = JSON.parse(execFileSync('npm', args, { cwd: repoRoot, encoding: 'utf8' }));
  return packed;
}
