/**
 * Loaded into a tool by NODE_OPTIONS: it kills itself right before the first change that $KILL_AT names: a part of
 * `rename OLD NEW`, `write FILE`, or of what it sends.
 */
const fs = require('node:fs');
const { Socket } = require('node:net');

const { renameSync, writeFileSync } = fs;
const send = Socket.prototype.write;
Object.assign(fs, { renameSync: killing('rename', renameSync), writeFileSync: killing('write', writeFileSync) });
Socket.prototype.write = killing('send', send);

/**
 * @param {string} verb
 * @param {Function} change
 */
function killing(verb, change) {
  return function (/** @type {unknown[]} */ ...args) {
    const what = [verb, ...args.filter((each) => typeof each === 'string')].join(' ');
    if (what.includes(process.env['KILL_AT'] ?? '')) process.kill(process.pid, 'SIGKILL');
    // @ts-ignore: whatever it belongs to
    return change.apply(this, args);
  };
}
