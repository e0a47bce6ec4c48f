import type { Problem } from '../../base/problem.ts';
import { shellCommand } from '../../config/text/shell-words.ts';
import type { MachineConfig } from '../../config/types.ts';
import { issueAt } from '../../machine/check/issues.ts';
import { newUserCommands } from '../../system/users.ts';

/**
 * What must not be in the file of a machine that a cluster runs: whatever starts it besides the cluster, or ties it to one node.
 *
 * @param resource its name in the cluster; undefined before it is there.
 * @param needsUser whether its own user (RUNAS=auto) does not exist yet.
 */
export function clusterIssues(
  config: MachineConfig,
  resource: string | undefined,
  needsUser: boolean | undefined,
): Problem[] {
  const cluster = resource === undefined ? 'a cluster' : `the cluster (resource "${resource}")`;
  const error = (key: string, message: string, hint: string): Problem => issueAt(config, key, message, hint);
  return [
    ...(config.autostart
      ? [
          error(
            'AUTOSTART',
            `AUTOSTART is on, but ${cluster} starts the machine: with both, two nodes would run it`,
            shellCommand('qemu-init', 'disable', config.longName),
          ),
        ]
      : []),
    ...(config.restart === 'no'
      ? []
      : [error('RESTART', `RESTART is ${config.restart}, but ${cluster} restarts the machine`, 'set RESTART=no')]),
    ...(config.requires.length === 0
      ? []
      : [
          error(
            'REQUIRES',
            `REQUIRES would start machines here that ${cluster} may run on another node`,
            'remove REQUIRES, and give the cluster an order constraint',
          ),
        ]),
    ...(config.onShutdown === 'save'
      ? [
          error(
            'ONSHUTDOWN',
            `ONSHUTDOWN is save, but the saved state stays on this node, while ${cluster} starts the machine on another`,
            'set ONSHUTDOWN=shutdown',
          ),
        ]
      : []),
    ...(needsUser ? ownUserIssues(config, error) : []),
    ...nodeIssues(config),
  ];
}

/** Warnings of what each node has for itself. */
function nodeIssues(config: MachineConfig): Problem[] {
  const warning = (key: string, message: string, hint: string): Problem => ({
    ...issueAt(config, key, message, hint),
    severity: 'warning',
  });
  const derived = config.nics.filter(({ mac }) => mac === undefined);
  const isUefi = config.firmware !== 'bios';
  return [
    ...derived.map(({ index }) =>
      warning(
        `NIC${index}`,
        `NIC${index} has no mac=: the nodes derive its address, and may come to different ones`,
        'add mac= with the address that "qemu-init showcmd" prints',
      ),
    ),
    ...(isUefi && config.firmwareVariables === undefined
      ? [
          warning(
            'FIRMWARE',
            'The variables of the firmware stay on this node',
            `name a file on shared storage: FIRMWARE=${config.firmware},vars=FILE`,
          ),
        ]
      : []),
    ...(config.tpm
      ? [warning('TPM', 'The state of the TPM stays on this node', 'keep the folder of its state on shared storage')]
      : []),
    ...(config.backup === undefined
      ? []
      : [
          warning(
            'BACKUP',
            'BACKUP is done by each node, also by those on which the machine does not run',
            'remove BACKUP, and back up on the node that runs it',
          ),
        ]),
  ];
}

/** Images on shared storage belong to a number, and one that a node picks may be that of another machine on the next. */
function ownUserIssues(
  { runAs = '', longName }: MachineConfig,
  error: (key: string, message: string, hint: string) => Problem,
): Problem[] {
  const [program = '', ...words] = newUserCommands(runAs, `QEMU machine ${longName}`).user;
  const message = `User "${runAs}" does not exist yet; it must have the same UID on each node`;
  return [error('RUNAS', message, `on each node: ${shellCommand(program, '--uid', 'UID', ...words)}`)];
}
