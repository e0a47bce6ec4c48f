/**
 * Loaded into a tool by NODE_OPTIONS: it kills itself right before the first change that $KILL_AT names: a part of
 * `rename OLD NEW`, `write FILE`, or of what it sends; with `text PART` the first file that has it gets its name. With
 * KILL_WITH=SIGSTOP it only stops there, once.
 */
const fs = require('node:fs');
const { Socket } = require('node:net');

let isOver = false;
const { readFileSync, renameSync, writeFileSync } = fs;
const send = Socket.prototype.write;
Object.assign(fs, { renameSync: killing('rename', renameSync), writeFileSync: killing('write', writeFileSync) });
Socket.prototype.write = killing('send', send);

/**
 * @param {string} verb
 * @param {Function} change
 */
function killing(verb, change) {
  return function (/** @type {unknown[]} */ ...args) {
    const wanted = process.env['KILL_AT'] ?? '';
    const texts = args.map((each) => (Buffer.isBuffer(each) ? each.toString() : each));
    const words = texts.filter((each) => typeof each === 'string');
    const what = wanted.startsWith('text ') && verb === 'rename' ? textOf(words[0]) : [verb, ...words].join(' ');
    if (!isOver && what.includes(wanted.replace(/^text /, ''))) {
      isOver = true;
      process.kill(process.pid, process.env['KILL_WITH'] ?? 'SIGKILL');
    }
    // @ts-ignore: whatever it belongs to
    return change.apply(this, args);
  };
}

/** @param {string | undefined} path */
function textOf(path = '') {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
