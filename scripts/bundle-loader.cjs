'use strict';
const { readFileSync } = require('node:fs');
const Module = require('node:module');
const { Script } = require('node:vm');

const filename = __filename.replace(/\.cjs$/, '.main.cjs');
let cachedData;
try {
  cachedData = Buffer.from(readFileSync(filename.replace(/cjs$/, 'cache'), 'latin1'), 'base64');
} catch {
  // It only makes the start faster; so does one that another version of Node.js made, which V8 refuses.
}
const script = new Script(Module.wrap(readFileSync(filename, 'utf8')), { filename, cachedData });
script.runInThisContext()(exports, require, module, filename, __dirname);
