import { existsSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { QemuError } from '../../base/errors.ts';
import type { Problem } from '../../base/problem.ts';
import type { ShareConfig } from '../../config/device-config.ts';
import type { CustomLine, MachineConfig } from '../../config/types.ts';
import type { MachinePaths } from '../../system/paths.ts';
import { trustPath } from '../../system/trust/trusted-path.ts';
import { customFiles } from './custom-files.ts';
import { issueAt } from './issues.ts';

/**
 * Warnings of files that a QEMU run as root opens in a folder that another user may write to, and could exchange for a
 * link to any file or disk of the host; and of folders in which a guest makes files with root's rights.
 */
export function exchangeableFileIssues(config: MachineConfig, { consoleLog }: MachinePaths): Problem[] {
  if (config.runAs !== undefined || process.geteuid?.() !== 0) return [];
  const files = [
    ...config.disks.map(({ index, file }) => [`DSK${index}`, file] as const),
    ...config.cdroms.map(({ index, file }) => [`CDR${index}`, file] as const),
    ['KERNEL', config.kernel] as const,
    ['INITRD', config.initrd] as const,
    ['FIRMWARE', config.firmware.startsWith('/') ? config.firmware : undefined] as const,
    ['FIRMWARE', config.firmwareVariables] as const,
  ];
  const images = files.flatMap(([key, file]): Problem[] => {
    const distrust = file === undefined ? undefined : distrustOfFolder(file);
    return distrust === undefined ? [] : [exchangeable(config, key, distrust, config.origins.get(key))];
  });
  const named = customFiles(config.custom, config.dir).flatMap(({ option, path, origin }): Problem[] => {
    const distrust = distrustOfFolder(path);
    return distrust === undefined
      ? []
      : [exchangeable(config, `"${path}", which ${option} in [custom] names,`, distrust, origin)];
  });
  images.push(...named);
  images.push(...config.shares.flatMap((share) => rootShareIssue(config, share)));
  const distrust = distrustOfFolder(consoleLog);
  if (distrust === undefined) return images;
  const message = `QEMU runs as root, and its console log can be replaced with any file of the host: ${distrust}`;
  return [...images, { ...issueAt(config, 'RUNAS', message, 'set RUNAS=auto'), severity: 'warning' }];
}

function exchangeable(config: MachineConfig, what: string, distrust: string, origin?: CustomLine['origin']): Problem {
  const message = `QEMU runs as root, and ${what} can be replaced with any file of the host: ${distrust}`;
  const issue = issueAt(config, 'RUNAS', message, 'set RUNAS=auto, or move the file');
  return { ...issue, ...origin, severity: 'warning' };
}

/** With 9p, owners and modes that the guest sets are not those of the files. */
function rootShareIssue(config: MachineConfig, { index, driver, readonly }: ShareConfig): Problem[] {
  if (driver === '9p' || readonly) return [];
  const message = `virtiofsd runs as root: the guest can make devices and setuid programs of root in the folder of SHARE${index}`;
  return [{ ...issueAt(config, `SHARE${index}`, message, 'set RUNAS=auto, or driver=9p'), severity: 'warning' }];
}

/** Why a file can be exchanged; undefined when it cannot be. */
function distrustOfFolder(file: string): string | undefined {
  try {
    trustPath(dirname(file));
    if (existsSync(file)) trustPath(dirname(realpathSync(file)));
  } catch (error) {
    if (error instanceof QemuError && error.code === 'QEMU_NOT_PERMITTED') return error.message;
  }
  return undefined;
}
