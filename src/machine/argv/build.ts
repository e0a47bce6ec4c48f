import type { MachineConfig } from '../../config/types.ts';
import { basicParts } from './basics.ts';
import { bootIndexes } from './boot-order.ts';
import { cdromParts, hasIde } from './cdroms.ts';
import { channelParts } from './channels.ts';
import { type Chipset, chipsetOf, pciPlace } from './chipset.ts';
import { device, option, type Part, type PlainOption } from './description.ts';
import { diskParts } from './disks.ts';
import { displayParts } from './display.ts';
import { pciHostParts } from './host-devices/pci-host.ts';
import { shareParts } from './host-devices/shares.ts';
import { usbHostParts } from './host-devices/usb-host.ts';
import { hotplugParts } from './hotplug.ts';
import { nicParts } from './nics.ts';
import type { Option } from './option.ts';
import { platformParts } from './platform.ts';
import { renderOption } from './render/argv.ts';
import type { ArgvRequest } from './request.ts';
import { seedParts } from './seed.ts';
import { soundParts } from './sound.ts';
import { tpmParts } from './tpm.ts';
import { usbParts } from './usb.ts';

/** All parts of a machine, in the order of the command line. Pure. */
export function describeMachine(request: ArgvRequest): Part[] {
  const { config } = request;
  const chipset = chipsetOf(config.machine, config.targetArch);
  const bootIndex = bootIndexes(config);
  return [
    ...basicParts(request),
    ...platformParts(request, chipset),
    ...displayParts(request, chipset),
    ...channelParts(request, chipset),
    ...smallDevices(request, chipset),
    ...tpmParts(config),
    ...usbParts(config, chipset),
    ...usbHostParts(config, request.usbHosts ?? []),
    ...pciHostParts(config, chipset),
    ...soundParts(config, chipset),
    ...shareParts(config, chipset),
    ...diskParts(config.disks, request.images, request.machine.keysDir, chipset, bootIndex),
    ...cdromParts(request.cdroms, chipset, bootIndex, config.cloudInit !== undefined),
    ...seedParts(config, request.machine, chipset),
    ...nicParts(config.nics, request.links, chipset, bootIndex),
    ...hotplugParts(config, chipset),
    ...sandboxOptions(request),
    ...(request.paused ? [option('', '-S')] : []),
    ...(request.preconfig ? [option('', '--preconfig')] : []),
    ...(request.isIncoming === true ? [option('', '-incoming', 'defer')] : []),
    option('', '-msg', 'timestamp=on'),
    option('', '-pidfile', request.machine.pidFile),
    ...config.custom.map(({ args }) => option('[custom]', ...args)),
  ];
}

/** The options of a machine's QEMU, in order, each with the key it is from. Pure. */
export function buildOptions(request: ArgvRequest): Option[] {
  return describeMachine(request).map(renderOption);
}

/** The arguments of {@link buildOptions} as one array. */
export function buildArgs(request: ArgvRequest): string[] {
  return buildOptions(request).flatMap(({ args }) => args);
}

function smallDevices({ config }: ArgvRequest, chipset: Chipset): Part[] {
  const suffix = chipset === 'other' ? '' : '-pci';
  return [
    ...(config.rng ? [device('RNG', `virtio-rng${suffix}`, { id: 'rng', ...pciPlace(chipset, 'rng') })] : []),
    ...(config.balloon
      ? [device('BALLOON', `virtio-balloon${suffix}`, { id: 'balloon', ...pciPlace(chipset, 'balloon') })]
      : []),
    ...watchdogParts(config, chipset),
    ...panicParts(config, chipset),
    ...scsiParts(config, chipset),
  ];
}

/** The SCSI controller, of the first disk or disc that needs it. */
function scsiParts({ disks, cdroms }: MachineConfig, chipset: Chipset): Part[] {
  const disk = disks.find(({ interface: bus }) => bus === 'scsi');
  const disc = hasIde(chipset) ? undefined : cdroms[0];
  const key = disk ? `DSK${disk.index}` : disc && `CDR${disc.index}`;
  const driver = chipset === 'other' ? 'virtio-scsi' : 'virtio-scsi-pci';
  return key === undefined ? [] : [device(key, driver, { id: 'scsi0', ...pciPlace(chipset, 'scsi') })];
}

/** The watchdog of s390x is not a PCI device (qemu-system(1), "-watchdog-action"). */
export function watchdogDevice({ machine }: MachineConfig): string {
  return machine.startsWith('s390') ? 'diag288' : 'i6300esb';
}

function watchdogParts(config: MachineConfig, chipset: Chipset): Part[] {
  if (config.watchdog === 'off') return [];
  const driver = watchdogDevice(config);
  const place = driver === 'i6300esb' ? pciPlace(chipset, 'watchdog') : {};
  const isShared = config.pci.length > 0 && chipset !== 'other';
  return [
    // Devices of PCIx are further functions of its slot.
    device('WATCHDOG', driver, { id: 'watchdog', ...place, multifunction: isShared || undefined }),
    option('WATCHDOG', '-action', `watchdog=${config.watchdog}`),
  ];
}

/** The pvpanic device of ISA is that of PCs (docs/specs/pvpanic of QEMU); s390x reports a panic without one. */
export function panicDevice({ machine }: MachineConfig): string | undefined {
  if (machine.startsWith('s390')) return undefined;
  const chipset = chipsetOf(machine);
  return chipset === 'q35' || chipset === 'pc' ? 'pvpanic' : 'pvpanic-pci';
}

function panicParts(config: MachineConfig, chipset: Chipset): Part[] {
  const driver = panicDevice(config);
  if (config.onPanic === 'none') {
    // The firmware of s390x panics when it finds nothing to boot, and QEMU would end in the middle of the start.
    return driver === undefined && hasNothingToBoot(config) ? [option('ONPANIC', '-action', 'panic=pause')] : [];
  }
  const place = driver === 'pvpanic-pci' ? pciPlace(chipset, 'panic') : {};
  return [
    ...(driver === undefined ? [] : [device('ONPANIC', driver, { id: 'pvpanic', ...place })]),
    option('ONPANIC', '-action', `panic=${config.onPanic}`),
  ];
}

function hasNothingToBoot({ kernel, disks, cdroms, nics }: MachineConfig): boolean {
  return kernel === undefined && disks.length + cdroms.length + nics.length === 0;
}

/** All four denials (qemu-system(1), "-sandbox"). */
function sandboxOptions({ config }: ArgvRequest): PlainOption[] {
  if (!config.sandbox) return [];
  const value = 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny';
  return [option('SANDBOX', '-sandbox', value)];
}
