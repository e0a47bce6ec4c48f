import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { cacheFolder } from './debian-package.ts';
import { repoRoot } from './repo.ts';

/** Downloading takes a minute from a near mirror, much longer from others. */
const BUILD_MS = 15 * 60_000;

/**
 * A folder that a shell script of test/support fills, once: `sh SCRIPT FOLDER` runs as root in namespaces of its own, with an
 * empty FOLDER/work that is removed afterwards. It is kept below the user's cache folder by the hash of the script and of
 * `basis`, what else it depends on. Another test that makes it at the same time is waited for.
 *
 * @throws with the last lines of the script.
 */
export function buildOnce(script: string, basis = ''): string {
  const recipe = join(repoRoot, 'test/support', script);
  const hash = createHash('sha256').update(readFileSync(recipe)).update(basis).digest('hex');
  const dir = join(cacheFolder(), `${basename(script, '.sh')}-${hash.slice(0, 12)}`);
  if (existsSync(dir)) return dir;
  if (process.getuid?.() !== 0) throw new Error('that takes root');
  mkdirSync(cacheFolder(), { recursive: true });
  const fresh = mkdtempSync(`${dir}.`);
  const log = join(fresh, 'log');
  const output = openSync(log, 'w');
  try {
    mkdirSync(join(fresh, 'work'));
    // Processes and mounts go with the namespaces, however this ends.
    const apart = ['unshare', '--mount', '--pid', '--mount-proc', '--fork', '--kill-child'];
    const command = [...apart, 'sh', '-c', BUILD, 'sh', dir, recipe, fresh];
    execFileSync('flock', ['--no-fork', join(cacheFolder(), `.${basename(script, '.sh')}.lock`), ...command], {
      stdio: ['ignore', output, output],
      timeout: BUILD_MS,
    });
    if (!existsSync(dir)) {
      rmSync(join(fresh, 'work'), { recursive: true });
      renameSync(fresh, dir);
    }
    return dir;
  } catch (cause) {
    throw new Error(`${readFileSync(log, 'utf8').trimEnd().split('\n').slice(-3).join(' / ')}`, { cause });
  } finally {
    closeSync(output);
    rmSync(fresh, { recursive: true, force: true });
  }
}

/** Another may have made it while this one waited for the lock. */
const BUILD = '[ -e "$1" ] || exec sh "$2" "$3"';
