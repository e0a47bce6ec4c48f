import type { MachineConfig } from '../../config/types.ts';
import { basicOptions } from './basics.ts';
import { bootIndexes } from './boot-order.ts';
import { cdromOptions, hasIde } from './cdroms.ts';
import { channelOptions } from './channels.ts';
import { type Chipset, chipsetOf, pciPlace } from './chipset.ts';
import { diskOptions } from './disks.ts';
import { displayOptions } from './display.ts';
import { nicOptions } from './nics.ts';
import { type Option, option, properties } from './option.ts';
import type { ArgvRequest } from './request.ts';

/** The options of a machine's QEMU, in order, each with the key it is from. Pure. */
export function buildOptions(request: ArgvRequest): Option[] {
  const { config } = request;
  const chipset = chipsetOf(config.machine, config.targetArch);
  const bootIndex = bootIndexes(config);
  return [
    ...basicOptions(request),
    ...displayOptions(request, chipset),
    ...channelOptions(request, chipset),
    ...smallDevices(request, chipset),
    ...diskOptions(config.disks, request.drives, request.machine.keysDir, chipset, bootIndex),
    ...cdromOptions(request.cdroms, chipset, bootIndex),
    ...nicOptions(config.nics, request.links, chipset, bootIndex),
    ...sandboxOptions(request),
    ...(request.paused ? [option('', '-S')] : []),
    ...(request.preconfig ? [option('', '--preconfig')] : []),
    option('', '-msg', 'timestamp=on'),
    option('', '-pidfile', request.machine.pidFile),
    ...config.custom.map(({ args }) => option('[custom]', ...args)),
  ];
}

/** The arguments of {@link buildOptions} as one array. */
export function buildArgs(request: ArgvRequest): string[] {
  return buildOptions(request).flatMap(({ args }) => args);
}

function smallDevices({ config }: ArgvRequest, chipset: Chipset): Option[] {
  const suffix = chipset === 'other' ? '' : '-pci';
  const options: Option[] = [];
  if (config.rng)
    options.push(option('RNG', '-device', properties(`virtio-rng${suffix}`, 'id=rng', pciPlace(chipset, 'rng'))));
  if (config.balloon) {
    options.push(
      option('BALLOON', '-device', properties(`virtio-balloon${suffix}`, 'id=balloon', pciPlace(chipset, 'balloon'))),
    );
  }
  if (config.watchdog !== 'off') {
    options.push(option('WATCHDOG', '-device', watchdogOption(config, chipset)));
    options.push(option('WATCHDOG', '-action', `watchdog=${config.watchdog}`));
  }
  options.push(...panicOptions(config, chipset));
  const needsScsi =
    config.disks.some((disk) => disk.interface === 'scsi') || (config.cdroms.length > 0 && !hasIde(chipset));
  if (needsScsi) {
    options.push(option('DSK', '-device', properties(`virtio-scsi${suffix}`, 'id=scsi0', pciPlace(chipset, 'scsi'))));
  }
  return options;
}

/** The watchdog of s390x is none of PCI (qemu-system(1), "-watchdog-action"). */
export function watchdogDevice({ machine }: MachineConfig): string {
  return machine.startsWith('s390') ? 'diag288' : 'i6300esb';
}

function watchdogOption(config: MachineConfig, chipset: Chipset): string {
  const device = watchdogDevice(config);
  return properties(device, 'id=watchdog', device === 'i6300esb' && pciPlace(chipset, 'watchdog'));
}

/** The pvpanic device of ISA is that of PCs (docs/specs/pvpanic of QEMU); s390x tells of a panic without one. */
export function panicDevice({ machine }: MachineConfig): string | undefined {
  if (machine.startsWith('s390')) return undefined;
  const chipset = chipsetOf(machine);
  return chipset === 'q35' || chipset === 'pc' ? 'pvpanic' : 'pvpanic-pci';
}

function panicOptions(config: MachineConfig, chipset: Chipset): Option[] {
  const device = panicDevice(config);
  if (config.onPanic === 'none') {
    // The firmware of s390x panics when it finds nothing to boot, and QEMU would end in the middle of the start.
    return device === undefined && hasNothingToBoot(config) ? [option('ONPANIC', '-action', 'panic=pause')] : [];
  }
  const value = device && properties(device, 'id=pvpanic', device === 'pvpanic-pci' && pciPlace(chipset, 'panic'));
  return [
    ...(value === undefined ? [] : [option('ONPANIC', '-device', value)]),
    option('ONPANIC', '-action', `panic=${config.onPanic}`),
  ];
}

function hasNothingToBoot({ kernel, disks, cdroms, nics }: MachineConfig): boolean {
  return kernel === undefined && disks.length + cdroms.length + nics.length === 0;
}

/** All four denials (qemu-system(1), "-sandbox"). */
function sandboxOptions({ config }: ArgvRequest): Option[] {
  if (!config.sandbox) return [];
  const value = 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny';
  return [option('SANDBOX', '-sandbox', value)];
}
