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
  const chipset = chipsetOf(config.machine);
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
    options.push(option('WATCHDOG', '-device', properties('i6300esb', 'id=watchdog', pciPlace(chipset, 'watchdog'))));
    options.push(option('WATCHDOG', '-action', `watchdog=${config.watchdog}`));
  }
  if (config.onPanic !== 'none') {
    options.push(option('ONPANIC', '-device', 'pvpanic,id=pvpanic'));
    options.push(option('ONPANIC', '-action', `panic=${config.onPanic}`));
  }
  const needsScsi =
    config.disks.some((disk) => disk.interface === 'scsi') || (config.cdroms.length > 0 && !hasIde(chipset));
  if (needsScsi) {
    options.push(option('DSK', '-device', properties(`virtio-scsi${suffix}`, 'id=scsi0', pciPlace(chipset, 'scsi'))));
  }
  return options;
}

/** All four denials (qemu-system(1), "-sandbox"). */
function sandboxOptions({ config }: ArgvRequest): Option[] {
  if (!config.sandbox) return [];
  const value = 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny';
  return [option('SANDBOX', '-sandbox', value)];
}
