/**
 * Writes the code cache of a bundle: `node code-cache.cjs BUNDLE CACHE ROOT`. The bundle is run as it will be, so that what is
 * compiled in the calls made most is in the cache. Its first line names the build of Node.js, as bundle-loader.cjs expects it;
 * it is filled up with blanks, since V8 copies what does not begin at a multiple of eight bytes.
 */
'use strict';
const { readFileSync, statSync, writeFileSync } = require('node:fs');
const Module = require('node:module');
const { basename, dirname } = require('node:path');
const { Script } = require('node:vm');

const [bundle, cache, root] = process.argv.slice(2);
// The name that stack traces show comes with the cache: the folder of the build would be wrong everywhere else.
const script = new Script(Module.wrap(readFileSync(bundle, 'utf8')), { filename: basename(bundle) });
const module_ = { exports: {} };
script.runInThisContext()(module_.exports, Module.createRequire(bundle), module_, bundle, dirname(bundle));
void calls();

async function calls() {
  for (const words of [
    ['status', 'a', '--root', root],
    ['stop', 'a', '--root', root],
    ['start', 'a', '--root', root],
  ]) {
    await module_.exports.main(words);
  }
  const { size, mtimeMs } = statSync(process.execPath);
  const build = [process.version, process.arch, size, mtimeMs].join(' ');
  const line = `${build.padEnd(Math.ceil((build.length + 1) / 8) * 8 - 1)}\n`;
  writeFileSync(cache, Buffer.concat([Buffer.from(line, 'latin1'), script.createCachedData()]));
  process.exitCode = 0;
}
