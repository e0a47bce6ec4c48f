import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  mjs: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
};

/** A file of the page. */
export interface StaticFile {
  readonly type: string;
  readonly body: Buffer;
}

/**
 * The files of the page by their paths, as the build has listed them. A path that is not in the list is not looked for
 * anywhere.
 *
 * @param dir folder with the files and their list, `files.json`.
 */
export function readStaticFiles(dir: string): ReadonlyMap<string, StaticFile> {
  const names: unknown = JSON.parse(readFileSync(join(dir, 'files.json'), 'utf8'));
  const files = new Map<string, StaticFile>();
  for (const name of Array.isArray(names) ? names : []) {
    if (typeof name !== 'string') continue;
    const type = TYPES[name.split('.').at(-1) ?? ''] ?? 'application/octet-stream';
    files.set(`/${name}`, { type, body: readFileSync(join(dir, name)) });
  }
  const index = files.get('/index.html');
  if (index) files.set('/', index);
  return files;
}
