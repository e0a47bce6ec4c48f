import { QemuError } from '../../base/errors.ts';
import type { Problem } from '../../base/problem.ts';
import { shellCommand } from '../../config/text/shell-words.ts';
import type { MachineConfig } from '../../config/types.ts';
import { readImageInfo } from '../../system/images/image.ts';
import { type MachinePaths, SOCKET_PATH_MAX_BYTES } from '../../system/paths.ts';
import { findProgram } from '../../system/process/find-program.ts';
import { scriptProblem } from '../../system/trust/script.ts';
import { trustCommand } from '../../system/trust/trusted-command.ts';
import type { MachineContext } from '../context.ts';
import { readVncPassword, VNC_PASSWORD_BYTES } from '../start/vnc-password.ts';
import { customPrograms } from './custom-programs.ts';
import { fileIssue, issueAt, issueOf } from './issues.ts';

/** The files that a machine boots from, besides its images, and its password. */
export function fileIssues(config: MachineConfig): Problem[] {
  const files = [
    ['KERNEL', config.kernel],
    ['INITRD', config.initrd],
    ['FIRMWARE', config.firmware.startsWith('/') ? config.firmware : undefined],
  ] as const;
  const issues = files.flatMap(([key, file]) => {
    if (file === undefined) return [];
    try {
      readImageInfo(file);
      return [];
    } catch (error) {
      return [fileIssue(config, key, file, error)];
    }
  });
  return [...issues, ...passwordIssues(config)];
}

function passwordIssues(config: MachineConfig): Problem[] {
  const file = config.vnc.kind === 'off' ? undefined : config.vnc.passwordFile;
  if (file === undefined) return [];
  try {
    const password = readVncPassword(file);
    if (password === undefined) return [issueAt(config, 'VNC', `VNC "${file}" does not exist`)];
    if (password === '') {
      const empty = `The VNC password file "${file}" is empty`;
      return [issueAt(config, 'VNC', empty, 'its first line is the password')];
    }
    if (Buffer.byteLength(password) <= VNC_PASSWORD_BYTES) return [];
    const message = `The VNC password in "${file}" is longer than ${VNC_PASSWORD_BYTES} bytes; only the first ${VNC_PASSWORD_BYTES} count`;
    const hint = 'the protocol ignores the rest: shorten it, so that no user relies on more';
    return [{ ...issueAt(config, 'VNC', message, hint), severity: 'warning' }];
  } catch (error) {
    if (!(error instanceof QemuError)) throw error;
    return [error.cause === undefined ? issueOf(config, 'VNC', error) : fileIssue(config, 'VNC', file, error)];
  }
}

/** The machine's own commands. Only the first of them stops a start. */
export function programIssues(config: MachineConfig): Problem[] {
  const commands = [
    ['PRECMD', config.preCommand],
    ['POSTCMD', config.postCommand],
    ['PRESTOP', config.preStop],
    ['POSTSTOP', config.postStop],
  ] as const;
  return commands.flatMap(([key, [program, ...args]]): Problem[] => {
    if (program === undefined) return [];
    const severity = key === 'PRECMD' ? 'error' : 'warning';
    const path = findProgram(program);
    const distrust = path === undefined ? undefined : distrustIssue(config, key, path, args);
    if (distrust !== undefined) return [{ ...distrust, severity }];
    const broken = path === undefined ? undefined : scriptProblem(path);
    if (path !== undefined && broken === undefined) return [];
    const problem = broken?.problem ?? 'does not exist, or is not a program';
    const issue = issueAt(config, key, `${key} "${program}" ${problem}`, broken?.hint);
    const code = broken?.isMissing === false ? undefined : 'QEMU_NOT_INSTALLED';
    return [{ ...issue, severity, code }];
  });
}

/** Why a program or file cannot be trusted, by who may change it. */
function distrustIssue(
  config: MachineConfig,
  key: string,
  path: string,
  args: readonly string[] = [],
): Problem | undefined {
  try {
    trustCommand(path, args, config.dir);
    return undefined;
  } catch (error) {
    if (!(error instanceof QemuError)) throw error;
    return issueOf(config, key, error);
  }
}

/**
 * What QEMU runs, loads or reads options from by `[custom]`: nobody else may change that, as whatever else is run. Whether it is there
 * QEMU says itself.
 */
export function customProgramIssues(config: MachineConfig): Problem[] {
  return customPrograms(config.custom, config.dir).flatMap(({ option, program, args, isRun, origin }): Problem[] => {
    const path = program.includes('/') ? program : findProgram(program);
    const distrust = path === undefined ? undefined : distrustIssue(config, '[custom]', path, args);
    if (distrust !== undefined)
      return [{ ...distrust, ...origin, message: `"${option}" in [custom]: ${distrust.message}` }];
    if (!isRun) return [];
    return [
      { ...origin, message: `"${option}" in [custom] runs a program, ${JSON.stringify(program)}`, severity: 'warning' },
    ];
  });
}

/**
 * With NETIF=hook QEMU makes the taps, and calls these to join them to their bridges. Links that can be made at any
 * time.
 */
export function hookIssues({ paths }: MachineContext, config: MachineConfig): Problem[] {
  const nic = config.nics.find(({ net }) => net === 'bridge');
  if (config.netif !== 'hook' || nic === undefined) return [];
  const missing = [paths.bridgeUpHook, paths.bridgeDownHook].filter((hook) => findProgram(hook) === undefined);
  const distrust = distrustIssue(config, `NIC${nic.index}`, paths.bridgeUpHook);
  if (distrust !== undefined) return [distrust];
  if (missing.length === 0) return [];
  const hint = `${missing.map((hook) => `ln -s "$(command -v qemu-netif)" ${shellCommand(hook)}`).join('; ')}; or set NETIF=managed`;
  const message = `NIC${nic.index} needs "${missing.join('" and "')}" (NETIF=hook), missing here`;
  return [{ ...issueAt(config, `NIC${nic.index}`, message, hint), severity: 'warning' }];
}

/** unix(7): what is longer than `sun_path` cannot be bound. */
export function socketIssues(config: MachineConfig, files: MachinePaths): Problem[] {
  const longest = files.consoleSocket;
  const bytes = Buffer.byteLength(longest);
  if (bytes <= SOCKET_PATH_MAX_BYTES) return [];
  const message = `the socket path "${longest}" has ${bytes} bytes; at most ${SOCKET_PATH_MAX_BYTES} are allowed`;
  return [issueAt(config, 'NAME', message, 'use a shorter name or a shorter root folder')];
}
