'use strict';
// The question of scripts, which needs nothing of the tool.
if (process.argv.length === 3 && process.argv[2] === '--version') {
  exports.main = async () => {
    process.stdout.write('TOOL VERSION\n');
    return 0;
  };
} else Object.assign(exports, load());

function load() {
  const { closeSync, openSync, readFileSync, statSync } = require('node:fs');
  const { Script } = require('node:vm');

  /** Packs by words of the call. Another than the right one is only slower. */
  const packOf = new Map('PACKS'.split(' ').map((text) => text.split(':')));
  const name = packOf.get(process.argv.slice(2).find((word) => packOf.has(word))) ?? 'DEFAULT';
  /**
   * Where modules are looked for, one after the other: the pack of this call, then those that have all modules, each with the number after
   * that of its last.
   */
  const packs = [name, ...'AREAS'.split(' ')].map((text) => {
    const [part, end = 0] = text.split(':');
    // All at once: they are removed when a later version, which may be installed while this call goes on, has its own.
    return { name: part, end: Number(end), file: openSync(fileOf(part), 'r') };
  });
  const loaded = [];
  let build;
  const own = read(packs[0]);
  return get(Number('MODULE'));

  function get(id) {
    // A module of Node.js, or a package.
    if (typeof id === 'string') return require(id);
    if (loaded[id] !== undefined) return loaded[id].exports;
    const module = { exports: {} };
    loaded[id] = module;
    (own[id] ?? elsewhere(id))(get, module);
    return module.exports;
  }

  function elsewhere(id) {
    const area = packs.find(({ end }) => id < end);
    area.modules ??= read(area);
    return area.modules[id];
  }

  function read({ name, file }) {
    const filename = fileOf(name);
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
    const script = new Script(readFileSync(file, 'latin1'), { filename, cachedData });
    closeSync(file);
    return script.runInThisContext()(require, filename);
  }

  function fileOf(pack) {
    return `${__dirname}/pack-STAMP-${pack}.cjs`;
  }

  function thisBuild() {
    const { size, mtimeMs } = statSync(process.execPath);
    return [process.version, process.arch, size, mtimeMs, 'STAMP'].join(' ');
  }
}
