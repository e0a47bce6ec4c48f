import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from './debian-package.ts';
import { repoRoot } from './repo.ts';

/** Downloading takes seconds from a near mirror, much longer from others. */
const BUILD_MS = 10 * 60_000;

/**
 * What a host needs in addition to this one to be a node of a cluster (Pacemaker, corosync, agents), as a tar archive of an
 * overlay's layer on `/`: 50 MB, made once in half a minute by `cluster-layer.sh`, and kept below the user's cache folder by
 * the hash of that file and of the packages that this host has. Takes root.
 *
 * @throws when it cannot be made: no mirror.
 */
export function clusterLayer(): string {
  const recipe = join(repoRoot, 'test/support/cluster-layer.sh');
  const hash = createHash('sha256').update(readFileSync(recipe)).update(readFileSync('/var/lib/dpkg/status'));
  const dir = join(cacheFolder(), `cluster-${hash.digest('hex').slice(0, 12)}`);
  if (!existsSync(dir)) build(recipe, dir);
  return join(dir, 'layer.tar');
}

/** Made aside and renamed. */
function build(recipe: string, dir: string): void {
  mkdirSync(cacheFolder(), { recursive: true });
  const fresh = mkdtempSync(`${dir}.`);
  const log = join(fresh, 'log');
  const output = openSync(log, 'w');
  try {
    mkdirSync(join(fresh, 'work'));
    // Processes and mounts go with the namespaces, however this ends.
    const apart = ['--mount', '--pid', '--mount-proc', '--fork', '--kill-child'];
    execFileSync('unshare', [...apart, 'sh', recipe, fresh], { stdio: ['ignore', output, output], timeout: BUILD_MS });
    rmSync(join(fresh, 'work'), { recursive: true });
    if (!existsSync(dir)) renameSync(fresh, dir);
  } catch (cause) {
    const end = readFileSync(log, 'utf8').trimEnd().split('\n').slice(-3).join(' / ');
    throw new Error(`The packages of a cluster cannot be installed into a container: ${end}`, { cause });
  } finally {
    closeSync(output);
    rmSync(fresh, { recursive: true, force: true });
  }
}
