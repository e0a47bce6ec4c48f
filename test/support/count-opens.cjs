/** Loaded into a tool by NODE_OPTIONS: writes the paths of all files that it opened, one a line, to $OPENED. */
const fs = require('node:fs');

/** @type {string[]} */
const paths = [];
const { openSync, readFileSync, writeFileSync } = fs;
Object.assign(fs, { openSync: counted(openSync), readFileSync: counted(readFileSync) });
process.on('exit', () => writeFileSync(process.env['OPENED'] ?? '', paths.join('\n')));

/** @param {Function} open */
function counted(open) {
  return (/** @type {unknown} */ path, /** @type {unknown[]} */ ...rest) => {
    if (typeof path === 'string') paths.push(path);
    return open(path, ...rest);
  };
}
