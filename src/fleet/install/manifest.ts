import { readTextIfExists } from '../../system/files/files.ts';

/**
 * What an installation wrote: absolute paths without the destination folder, with the SHA-256 of files and `-> TARGET`
 * of links.
 */
export interface Manifest {
  readonly version: string;
  readonly written: ReadonlyMap<string, string>;
  /** Folders that it made, the outermost first. */
  readonly folders: readonly string[];
}

/** Reads a manifest; a missing or damaged one counts as empty. */
export function readManifest(path: string): Manifest {
  try {
    const { version, written, folders } = JSON.parse(readTextIfExists(path) ?? '');
    return { version, written: new Map(Object.entries<string>(written)), folders };
  } catch {
    return { version: '', written: new Map(), folders: [] };
  }
}

/** The text that {@link readManifest} reads back. */
export function renderManifest({ version, written, folders }: Manifest): string {
  return `${JSON.stringify({ version, written: Object.fromEntries(written), folders }, undefined, 1)}\n`;
}
