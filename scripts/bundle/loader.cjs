'use strict';
// The question of scripts, which needs nothing of the tool.
if (process.argv.length === 3 && process.argv[2] === '--version') {
  exports.main = async () => {
    process.stdout.write('VERSION\n');
    return 0;
  };
} else Object.assign(exports, load());

function load() {
  const { closeSync, openSync, readFileSync, statSync } = require('node:fs');
  const { Script } = require('node:vm');

  // All at once: they are removed when a later version, which may be installed while this call goes on, has its own.
  const files = {};
  for (const pack of 'PACKS'.split(' ')) files[pack] = openSync(fileOf(pack), 'r');
  /** Those of the packs that are read, by their names. */
  const chunks = {};
  const loaded = {};
  let build;
  const where = read('main');
  return get('./TOOL.js');

  function get(id) {
    if (loaded[id] !== undefined) return loaded[id].exports;
    // A module of Node.js, or a package.
    if (!id.startsWith('./') || !id.endsWith('.js')) return require(id);
    if (chunks[id] === undefined) read(where[id]);
    const chunk = { exports: {} };
    loaded[id] = chunk;
    chunks[id](get, chunk);
    return chunk.exports;
  }

  function read(pack) {
    const filename = fileOf(pack);
    let cachedData;
    try {
      const cache = readFileSync(filename.replace(/cjs$/, 'cache'));
      const line = cache.indexOf('\n');
      // V8 itself compares only its own version, which many releases and builds of Node.js share, and the length of the code: it
      // crashes on what another one made.
      build ??= thisBuild();
      if (cache.latin1Slice(0, line).trimEnd() === build) cachedData = cache.subarray(line + 1);
    } catch {
      // It only makes the start faster.
    }
    // Packs are ASCII, which is read faster that way.
    const script = new Script(readFileSync(files[pack], 'latin1'), { filename, cachedData });
    closeSync(files[pack]);
    const found = script.runInThisContext()(require, filename);
    Object.assign(chunks, found.chunks);
    return found.where;
  }

  function fileOf(pack) {
    return `${__dirname}/pack-STAMP-${pack}.cjs`;
  }

  function thisBuild() {
    const { size, mtimeMs } = statSync(process.execPath);
    return [process.version, process.arch, size, mtimeMs, 'STAMP'].join(' ');
  }
}
