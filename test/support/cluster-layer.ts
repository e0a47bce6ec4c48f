import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildOnce } from './build-once.ts';

/** A tar archive, or why there is none. */
export type ClusterLayerOrNot =
  | { readonly archive: string; readonly obstacle?: undefined }
  | { readonly archive?: undefined; readonly obstacle: string };

/**
 * What a host needs in addition to this one to be a node of a cluster (Pacemaker, corosync, agents), as a tar archive of an
 * overlay's layer on `/`: 50 MB, made in half a minute by `cluster-layer.sh`, for the packages that this host has.
 *
 * A test that needs it is to be skipped with the obstacle: no root, no mirror.
 */
export function clusterLayer(): ClusterLayerOrNot {
  try {
    const dir = buildOnce('cluster-layer.sh', readFileSync('/var/lib/dpkg/status', 'utf8'));
    return { archive: join(dir, 'layer.tar') };
  } catch (error) {
    const reason = error instanceof Error ? error.message : error;
    return { obstacle: `the packages of a cluster cannot be installed into a container: ${reason}` };
  }
}
