import { dirname } from 'node:path';
import type { MachineConfig } from '../../../config/types.ts';
import { type Closed, sharedFolders, type UsedPathsOf, writtenPaths } from '../../../machine/check/used-paths.ts';
import { ownUserComment } from '../../../machine/start/own-user.ts';
import { MACHINES_GROUP, newUserCommands } from '../../../system/users.ts';
import { type UnitLine, unitPath } from './unit-text.ts';

/** Our own folders: slots, leases, locks, logs and firmware variables. */
const OWN_FOLDERS = ['/run/qemu-init', '/var/lib/qemu-init', '/var/log/qemu-init'];
/**
 * What the unit of a registered machine closes in addition to the bare one, systemd.exec(5): everything but its own
 * files is read-only; home folders and the temporary files of others are hidden. Paths that the machine's file names
 * stay accessible, wherever they are.
 */
export function hardeningLines(machine: UsedPathsOf, closed: Closed): UnitLine[] {
  const { config } = machine;
  const shared = new Set(sharedFolders(machine));
  const written = writtenPaths(machine).map((path) => (shared.has(path) ? path : folderOf(path)));
  return [
    ['ProtectSystem', 'strict'],
    ['ReadWritePaths', list([...OWN_FOLDERS, ...written])],
    ['PrivateTmp', closed.temporary ? 'yes' : 'no'],
    // Hooks find their settings and keys there.
    ['ProtectHome', closed.homes && !hasHooks(config) ? 'yes' : 'read-only'],
    ...(usesVsock(config) ? [] : ([['RestrictAddressFamilies', '~AF_VSOCK']] as const)),
    ...(hasHooks(config) || config.runAs === undefined ? [] : [capabilityLine(config)]),
    ...userLines(config),
  ];
}

/** Capabilities that only QEMU as root or a hook could use. */
function capabilityLine(config: MachineConfig): UnitLine {
  // passt gets what it needs for that in a user namespace; ports that only root may listen on are those of the host. From
  // which one on others may, a host can set at any time (ip_unprivileged_port_start, ip(7)), also after units are made.
  const listens = config.nics.some(({ net, hostForwards }) => net === 'passt' && hostForwards.length > 0);
  const low = listens ? '' : ' CAP_NET_BIND_SERVICE';
  const taps = config.nics.some(({ net }) => net === 'bridge') ? '' : ' CAP_NET_ADMIN';
  return ['CapabilityBoundingSet', `~CAP_IPC_LOCK CAP_SYS_NICE CAP_SYS_RESOURCE${low}${taps}`];
}

/**
 * Creates the machine's own user, which the unit itself may not do. The start reports its failure.
 *
 * @see ensureOwnUser
 */
function userLines({ runAs, ownUser, longName }: MachineConfig): UnitLine[] {
  if (!ownUser || runAs === undefined) return [];
  const { group, user } = newUserCommands(runAs, ownUserComment(longName));
  const words = user.map((word) => (/^[\w/=-]+$/.test(word) ? word : `"${word}"`)).join(' ');
  const makeGroup = `getent group ${MACHINES_GROUP} >/dev/null || ${group.join(' ')}`;
  return [['ExecStartPre', `+-/bin/sh -c 'getent passwd ${runAs} >/dev/null || { ${makeGroup}; ${words}; }'`]];
}

function hasHooks({ preCommand, postCommand, preStop, postStop }: MachineConfig): boolean {
  return [preCommand, postCommand, preStop, postStop].some((command) => command.length > 0);
}

function usesVsock({ custom }: MachineConfig): boolean {
  return custom.some(({ args }) => args.some((word) => /\bvsock\b/.test(word) && !word.startsWith('vhost-')));
}

/** The folder of a file, since new images appear next to it; never the whole file system. */
function folderOf(path: string): string {
  const folder = dirname(path);
  return folder === '/' ? path : folder;
}

/** Marks paths so that systemd ignores missing ones. */
function list(paths: readonly string[]): string {
  return unique(paths)
    .map((path) => unitPath(`-${path}`))
    .join(' ');
}

function unique(paths: readonly string[]): string[] {
  return [...new Set(paths)];
}
