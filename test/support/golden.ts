import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { repoRoot } from './repo.ts';

/**
 * Compares a text with a checked-in file, given relative to the checkout. `UPDATE_GOLDEN=1` writes the file instead;
 * the change is then to be read in the diff.
 */
export function assertGolden(path: string, actual: string): void {
  const file = join(repoRoot, path);
  if (process.env['UPDATE_GOLDEN'] === '1') {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, actual);
    return;
  }
  assert.equal(actual, readGolden(file), `"${path}" differs; UPDATE_GOLDEN=1 writes it anew`);
}

function readGolden(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new Error(`No golden file "${file}"; UPDATE_GOLDEN=1 writes it`, { cause });
  }
}
