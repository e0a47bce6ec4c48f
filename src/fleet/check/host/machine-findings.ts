import type { Problem } from '../../../base/problem.ts';
import { shellCommand } from '../../../config/text/shell-words.ts';
import type { MachineConfig } from '../../../config/types.ts';
import type { MachineRef } from '../../../machine/context.ts';
import { stateRule } from '../../../machine/control/run-state.ts';
import { lookAtState } from '../../../machine/observe/status.ts';
import { locate } from '../../../machine/run/locate.ts';
import { clusterResources, resourceOf } from '../../cluster/cib.ts';
import type { Machines } from '../../machines.ts';
import { outsideUnit } from '../../service/services.ts';
import { checkMachine } from '../check-machine.ts';
import { checkHostImages } from './images.ts';

/**
 * Problems of one machine: its file, its images, who can reach it, and leftovers of earlier runs.
 *
 * @param others result of {@link readableConfigs}.
 */
export async function checkMachineFindings(
  machines: Machines,
  target: MachineRef,
  others: ReadonlyMap<string, MachineConfig>,
  signal: AbortSignal,
): Promise<Problem[]> {
  const machine = target.longName;
  const { config } = machines.inspect(target);
  const located = locate(target.files);
  // One of a cluster may run on another node, or be about to: qemu-img's lock would be in the way of its start.
  const isIdle = located.kind !== 'alive' && resourceOf(clusterResources(machines.host.paths), target) === undefined;
  // checkRights() checks for all of them who may change files.
  const issues = (await checkMachine(machines, target, others)).filter(
    ({ code, key }) => code !== 'QEMU_NOT_PERMITTED' || key !== undefined,
  );
  return [
    ...issues.map(
      (issue): Problem => ({
        severity: issue.severity,
        machine,
        message: issue.message,
        detail: `${issue.file}${issue.line === undefined ? '' : `, line ${issue.line}`}`,
        hint: issue.hint ?? editHint(target, issue.file ?? target.configPath),
      }),
    ),
    ...(located.kind === 'dead' ? [leftBehind(machine)] : []),
    ...(located.kind === 'alive' ? await checkState(target) : []),
    ...(located.kind === 'alive' ? checkUnitOf(machines, target, located.process.pid) : []),
    ...(config ? checkVnc(config) : []),
    ...(config && isIdle ? await checkHostImages(machines.host.paths, config, signal) : []),
  ];
}

/** A guest whose QEMU runs, but which does not. */
async function checkState({ longName, files }: MachineRef): Promise<Problem[]> {
  const { state, stateDetail } = await lookAtState(files);
  const { severity, meaning, way } = stateRule(state);
  if (severity !== 'error') return [];
  const message = `The guest does not run: ${state}`;
  const detail = [meaning, stateDetail].filter((part) => part !== undefined).join('; ');
  return [{ severity, machine: longName, message, detail, hint: `qemu-init ${way ?? 'status'} ${longName}` }];
}

/** A QEMU that systemd would end with the session that it was started in, or with all that is left at the end. */
function checkUnitOf(machines: Machines, target: MachineRef, pid: number): Problem[] {
  const { paths } = machines.host;
  const detail = outsideUnit(paths, target, pid);
  if (detail === undefined) return [];
  const machine = target.longName;
  const id = target.shortName === undefined ? target.configPath : machine;
  const start = shellCommand('qemu-init', 'start', id);
  const hint = paths.scope === 'system' ? start : `stop it before a shutdown: qemu-init stop ${machine}`;
  return [{ severity: 'error', machine, message: 'A shutdown of the host does not stop it', detail, hint }];
}

function leftBehind(machine: string): Problem {
  return {
    severity: 'warning',
    machine,
    message: 'QEMU was killed',
    detail: 'its pid file and other leftovers still exist',
    hint: `qemu-init stop ${machine}, or start it again`,
  };
}

function checkVnc({ longName, vnc }: MachineConfig): Problem[] {
  if (vnc.kind !== 'tcp' || vnc.host.startsWith('127.') || vnc.host === '::1') return [];
  return [
    {
      severity: 'warning',
      machine: longName,
      message: 'VNC is open to other hosts',
      detail: `it listens on ${vnc.host}; its password has at most 8 characters, and nothing is encrypted`,
      hint: 'set VNC=on and use a tunnel: ssh -L',
    },
  ];
}

function editHint({ longName, configPath }: MachineRef, file: string): string {
  return file === configPath ? `qemu-init edit ${longName}` : `edit ${shellCommand(file)}`;
}
