'use strict';
// The question of scripts, which needs nothing of the tool.
if (process.argv.length === 3 && process.argv[2] === '--version') {
  exports.main = async () => {
    process.stdout.write('VERSION\n');
    return 0;
  };
} else load();

function load() {
  const { readFileSync, statSync } = require('node:fs');
  const Module = require('node:module');
  const { Script } = require('node:vm');

  const filename = __filename.replace(/\.cjs$/, '.main.cjs');
  let cachedData;
  try {
    const cache = readFileSync(filename.replace(/cjs$/, 'cache'));
    const line = cache.indexOf('\n');
    // V8 itself compares only its own version, which many releases and builds of Node.js share: it crashes on what another one made.
    const { size, mtimeMs } = statSync(process.execPath);
    const build = [process.version, process.arch, size, mtimeMs].join(' ');
    if (cache.latin1Slice(0, line).trimEnd() === build) cachedData = cache.subarray(line + 1);
  } catch {
    // It only makes the start faster.
  }
  // Bundles are ASCII, which is read faster that way.
  const script = new Script(Module.wrap(readFileSync(filename, 'latin1')), { filename, cachedData });
  script.runInThisContext()(exports, require, module, filename, __dirname);
}
