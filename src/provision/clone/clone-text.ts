import { relative } from 'node:path';
import type { DiskConfig } from '../../config/device-config.ts';
import { renderDisk } from '../../config/disk.ts';
import { renderFirmware } from '../../config/hardware/hardware.ts';
import { renderNic } from '../../config/nic.ts';
import type { MachineConfig } from '../../config/types.ts';
import { renderVnc } from '../../config/vnc.ts';
import { withSettings } from '../draft.ts';

/** What is different in a clone. Paths are absolute. */
export interface CloneChanges {
  readonly name: string;
  /** Folder of its file. */
  readonly dir: string;
  readonly uuid: string;
  /** For a VMGENID that is written out. */
  readonly generationId: string;
  readonly disks: readonly {
    readonly disk: DiskConfig;
    readonly path: string;
    readonly base?: string | undefined;
    readonly below?: readonly string[] | undefined;
  }[];
  /** New ports of this host, by the old ones. */
  readonly ports: ReadonlyMap<number, number>;
  readonly firmwareVariables?: string | undefined;
  readonly cloudInit?: string | undefined;
}

/**
 * The text of a clone's file: that of its source, with comments, except for what two machines cannot have in common:
 * identity, addresses, ports of the host, and the disks that are written to. Pure.
 *
 * @param text of the source's file, whose relative paths start from the same folder.
 */
export function cloneText(text: string, config: MachineConfig, changes: CloneChanges): string {
  const { name, dir, uuid, generationId, disks, ports, firmwareVariables, cloudInit } = changes;
  const isOwn = (key: string): boolean => config.origins.get(key)?.file === config.path;
  const near = (path: string): string => {
    const short = relative(dir, path);
    return short.startsWith('../') ? path : short;
  };
  const settings: (readonly [key: string, value: string])[] = [['UUID', uuid]];
  const set = (key: string, value: string): void => void settings.push([key, value]);
  if (isOwn('NAME')) set('NAME', name);
  if (isOwn('VMGENID') && ![undefined, 'on'].includes(config.vmGenerationId)) set('VMGENID', generationId);
  for (const { disk, path, base, below = [] } of disks) {
    // Its headers lead to what was a disk of another machine, which is only good if its file says so.
    const backing = base === undefined ? [] : [base, ...below].map(near);
    set(`DSK${disk.index}`, renderDisk({ ...disk, file: near(path), format: 'qcow2', key: undefined, backing }));
  }
  for (const nic of config.nics) {
    const hostForwards = nic.hostForwards.map((each) => ({
      ...each,
      hostPort: ports.get(each.hostPort) ?? each.hostPort,
    }));
    const changed = renderNic({ ...nic, mac: undefined, hostForwards });
    if (changed !== renderNic(nic)) set(`NIC${nic.index}`, changed);
  }
  const { vnc } = config;
  if (isOwn('VNC') && vnc.kind === 'tcp' && vnc.display !== undefined)
    set('VNC', renderVnc({ ...vnc, display: undefined }));
  if (firmwareVariables !== undefined) set('FIRMWARE', renderFirmware(config.firmware, firmwareVariables));
  if (cloudInit !== undefined) set('CLOUDINIT', near(cloudInit));
  return withSettings(text, settings);
}
