import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { cacheFolder } from './debian-package.ts';

/** A static program of a C source, compiled once and kept by the hash of the source. Returns its path. */
export function staticProgram(source: string): string {
  const hash = createHash('sha256').update(readFileSync(source)).digest('hex').slice(0, 16);
  const path = join(cacheFolder(), `${basename(source, '.c')}-${hash}`);
  if (existsSync(path)) return path;
  mkdirSync(cacheFolder(), { recursive: true });
  // Made aside and renamed, as another test may be doing the same.
  const fresh = mkdtempSync(`${path}.`);
  try {
    execFileSync('gcc', ['-static', '-Os', '-o', join(fresh, 'program'), source]);
    renameSync(join(fresh, 'program'), path);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  return path;
}
