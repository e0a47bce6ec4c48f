/** The tiers of tests: folders of `test/`, in the order in which `npm test` runs those of a lane. */
import { spawnSync } from 'node:child_process';

/**
 * @typedef {object} Tier
 * @property {string} name folder below `test/`
 * @property {number} lane tiers of different lanes run at the same time: much of what tests do is to wait
 * @property {number} concurrency files that run at the same time
 * @property {number} minutes after which the tier is ended
 * @property {number} [fileMinutes] after which one file is ended, where that is not ten
 * @property {boolean} [byName] whether it only runs when it is named
 * @property {boolean} [coverage] whether the sources that it runs are counted
 * @property {() => string | undefined} [obstacle] why this host cannot run it at all; undefined when it can
 */

/** @type {readonly Tier[]} */
export const TIERS = [
  { name: 'unit', lane: 1, concurrency: 2, minutes: 20, coverage: true },
  { name: 'integration', lane: 1, concurrency: 3, minutes: 25 },
  { name: 'network', lane: 2, concurrency: 2, minutes: 20, obstacle: networkObstacle },
  { name: 'system', lane: 2, concurrency: 2, minutes: 20, obstacle: systemObstacle },
  { name: 'package', lane: 2, concurrency: 1, minutes: 15 },
  // Kills at many moments, hostile answers to every command, long moves: more than a quarter of an hour.
  { name: 'long', lane: 1, concurrency: 2, ...longest(), byName: true, obstacle: networkObstacle },
  // A guest as it is met in practice, which boots several times without KVM.
  { name: 'debian', lane: 1, concurrency: 1, minutes: 25, fileMinutes: 20, byName: true, obstacle: networkObstacle },
  // A cluster decides by time limits which node is dead, and a host may be too busy for any.
  { name: 'cluster', lane: 1, concurrency: 1, minutes: 30, fileMinutes: 15, byName: true, obstacle: systemObstacle },
];

/** With all moves that are killed, a file alone takes half an hour, and twice that on a busy host. */
function longest() {
  return process.env.QEMU_INIT_ALL_MOVES === '1' ? { minutes: 150, fileMinutes: 90 } : { minutes: 40, fileMinutes: 20 };
}

/** Least coverage of `src` by the unit tier, in per cent. */
export const COVERAGE = { lines: 90, branches: 90, functions: 80 };

/** Why no network namespaces can be made here. */
export function networkObstacle() {
  if (process.getuid?.() !== 0) return 'needs root';
  const isAble = works('unshare', '--net', 'ip', 'link', 'add', 'name', 'probe0', 'type', 'bridge');
  return isAble ? undefined : 'no bridges in network namespaces can be made here';
}

/** Why no system can be booted in a container here. */
export function systemObstacle() {
  if (process.getuid?.() !== 0) return 'needs root';
  if (!works('systemd-nspawn', '--version')) return 'systemd-nspawn is missing';
  return works('unshare', '--mount', '--pid', '--fork', 'true') ? undefined : 'no containers can be made here';
}

function works(file, ...args) {
  return spawnSync(file, args, { stdio: 'ignore', timeout: 10_000 }).status === 0;
}
