import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The checkout that is being tested. */
export const repoRoot: string = findRepoRoot([import.meta.dirname, process.cwd()]);

/** Compiled tests may lie outside the checkout; then the folder that they are started from counts. */
function findRepoRoot(starts: readonly string[]): string {
  for (const start of starts) {
    for (let dir = start; dir !== dirname(dir); dir = dirname(dir)) {
      if (existsSync(join(dir, 'scripts/build.mjs')) && existsSync(join(dir, 'package.json'))) return dir;
    }
  }
  throw new Error('Cannot find the checkout: start the tests inside it');
}
