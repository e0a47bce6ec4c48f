/**
 * Writes the code cache of a bundle: `node code-cache.cjs BUNDLE CACHE ROOT`. The bundle is run as it will be, so that what is
 * compiled in the calls made most is in the cache. It is text, in base64, since everything that is installed is. Its first line names the build of Node.js, as bundle-loader.cjs expects it.
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
  writeFileSync(cache, `${build}\n${script.createCachedData().toString('base64')}\n`);
  process.exitCode = 0;
}
