import { fileURLToPath } from 'node:url';

/**
 * Folder of the package, or of what `install` has put on the host: the bundle that this is in is `dist/bin/*.cjs` of
 * it.
 */
export const PACKAGE = fileURLToPath(new URL('../..', import.meta.url));
