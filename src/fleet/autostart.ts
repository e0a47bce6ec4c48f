import { QemuError } from '../base/errors.ts';
import { setKey } from '../config/text/edit-text.ts';
import { shellCommand } from '../config/text/shell-words.ts';
import type { MachineRef } from '../machine/context.ts';
import { editConfig } from '../machine/edit-config.ts';
import { clusterResources, resourceOf } from './cluster/cib.ts';
import type { MachineManager } from './machine-manager.ts';

/**
 * Sets AUTOSTART in a machine's file, which keeps everything else. Returns whether that changed anything.
 *
 * @throws {ConfigError} when the file has mistakes.
 * @throws {QemuError} `QEMU_USAGE` for a machine that is not registered, which boot never starts, for one that a cluster
 * runs, and for one in JSON.
 */
export async function setAutostart(
  fleet: MachineManager,
  target: MachineRef,
  autostart: boolean,
  signal?: AbortSignal,
): Promise<boolean> {
  const { configPath, longName } = target;
  if (fleet.config(target).autostart === autostart) return false;
  if (target.shortName === undefined) {
    throw new QemuError('QEMU_USAGE', `Machine "${longName}" is not registered, so nothing starts it at boot`, {
      hint: shellCommand('qemu-init', 'register', configPath),
    });
  }
  const resource = autostart ? resourceOf(clusterResources(fleet.host.paths), target) : undefined;
  if (resource !== undefined) throw runByCluster(longName, resource);
  await editConfig(fleet.host, target, {
    purpose: 'enable',
    change: (text) => setKey(text, 'AUTOSTART', autostart ? 'on' : 'off'),
    signal,
  });
  return true;
}

function runByCluster(longName: string, resource: string): QemuError {
  const message = `Machine "${longName}" is run by the cluster (resource "${resource}"), which alone decides where it starts`;
  return new QemuError('QEMU_USAGE', message, {
    hint: `to let the cluster start it: crm_resource --resource ${resource} --meta --set-parameter target-role --parameter-value Started`,
  });
}
