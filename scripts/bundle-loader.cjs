'use strict';
const { readFileSync, statSync } = require('node:fs');
const Module = require('node:module');
const { Script } = require('node:vm');

const filename = __filename.replace(/\.cjs$/, '.main.cjs');
let cachedData;
try {
  const [build, data] = readFileSync(filename.replace(/cjs$/, 'cache'), 'latin1').split('\n');
  // V8 itself compares only its own version, which many releases and builds of Node.js share: it crashes on what another one made.
  const { size, mtimeMs } = statSync(process.execPath);
  if (build === [process.version, process.arch, size, mtimeMs].join(' ')) cachedData = Buffer.from(data, 'base64');
} catch {
  // It only makes the start faster.
}
const script = new Script(Module.wrap(readFileSync(filename, 'utf8')), { filename, cachedData });
script.runInThisContext()(exports, require, module, filename, __dirname);
