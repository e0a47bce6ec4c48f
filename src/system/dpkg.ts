import { findProgram, run } from './process/exec.ts';

/**
 * The Debian packages that files belong to, by path. Files without a package are left out, as are all without dpkg.
 *
 * @param paths absolute.
 */
export async function packagesOf(paths: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
  if (paths.length === 0 || findProgram('dpkg-query') === undefined) return new Map();
  // Its arguments are patterns; it exits with 1 if any path does not belong to a package.
  const patterns = paths.map((path) => path.replaceAll(/[\\*?[\]]/g, String.raw`\$&`));
  const { stdout } = await run('dpkg-query', ['--search', ...patterns], { timeoutMs: TIMEOUT_MS, signal });
  const wanted = new Set(paths);
  return new Map(
    stdout.split('\n').flatMap((line): [string, string][] => {
      const [, owner = '', path = ''] = /^(?!diversion )([^ ]+): (\/.*)$/.exec(line) ?? [];
      return wanted.has(path) ? [[path, owner]] : [];
    }),
  );
}

/** Its lists are large, and may have to come from a slow disk. */
const TIMEOUT_MS = 60_000;
