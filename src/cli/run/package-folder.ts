import { fileURLToPath } from 'node:url';

/**
 * Folder of the package, or of what `install` has put on the host: this bundle is its `dist/bin/*.cjs`.
 */
export const PACKAGE = fileURLToPath(new URL('../..', import.meta.url));
