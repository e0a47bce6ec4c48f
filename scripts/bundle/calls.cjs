/**
 * What each pack is for: the `calls` whose modules are in it, and what comes `before` them, or `beforeEach` of them. The machine `a` is
 * that of code-cache.cjs. A pack has the name of an action, and may be for others `also`, or of a tool without `qemu-`; `init` is for all
 * other actions.
 */
'use strict';
const run = [
  ['qemu-init', 'start', 'a'],
  ['qemu-init', 'stop', 'a'],
];
const [start] = run;

exports.CALLS = {
  status: {
    before: [...run, start],
    calls: [
      ['qemu-init', 'status', 'a'],
      ['qemu-init', 'status', '--all', '--json'],
      ['qemu-init', 'status', 'b'],
    ],
  },
  start: { before: run, calls: [start] },
  stop: {
    also: ['kill', 'ended', 'stop-together'],
    before: run,
    beforeEach: [start],
    calls: [
      ['qemu-init', 'stop-together'],
      ['qemu-init', 'ended', 'a'],
      ['qemu-init', 'kill', 'a'],
      ['qemu-init', 'stop', 'a'],
    ],
  },
  restart: { before: [...run, start], calls: [['qemu-init', 'restart', 'a']] },
  attach: { before: [start], calls: [['qemu-init', 'attach', 'a', 'DSK2=plugged.raw,format=raw']] },
  cmd: {
    before: [start],
    calls: [
      ['qemu-cmd', '-c', 'info status', 'a'],
      ['qemu-cmd', '-q', 'query-status', 'a'],
    ],
  },
  mon: { before: [start], calls: [['qemu-mon', 'a']] },
  init: {
    before: [start],
    calls: [
      ['qemu-init', 'list'],
      ['qemu-init', 'check', 'a'],
    ],
  },
};
