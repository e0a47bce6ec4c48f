import type { MachineConfig } from '../../../config/types.ts';

/** What of a machine its libvirt domain does not have. */
export interface ExportLoss {
  readonly key: string;
  readonly reason: string;
}

/** Keys that libvirt has no place for, or that another program would have to do. */
export function losses(config: MachineConfig): ExportLoss[] {
  const { origins } = config;
  const reasons: readonly (readonly [pattern: RegExp, reason: string])[] = [
    [/^(?:AUTOSTART|BOOTORDER|BOOTDELAY|REQUIRES)$/, 'see "virsh autostart"'],
    [/^(?:STOPDELAY|STOPMETHOD|RESTART|ONSHUTDOWN)$/, 'libvirt-guests decides how guests are stopped'],
    [/^(?:PRECMD|POSTCMD|PRESTOP|POSTSTOP)$/, 'see the hooks of libvirt'],
    [/^(?:RUNAS|SANDBOX)$/, 'see user= and seccomp_sandbox= in qemu.conf of libvirt'],
    [/^NUMA\d+$/, 'nodes are not written'],
    [/^(?:MAXRAM|MAXSMP)$/, 'room for more is not written'],
    [/^HUGEPAGES$/, 'see memoryBacking in libvirt'],
    [/^LIMIT_\w+$/, 'see cputune, memtune and blkiotune in libvirt'],
    [/^CLOUDINIT$/, 'the seed is made by qemu-init: give libvirt the image of it as a disk'],
    [/^(?:BACKUP|OS)$/, 'is not written'],
    [/^SMBIOS\d+$/, 'texts of the firmware tables are not written'],
    [/^SHARE\d+$/, 'folders of the host are not written'],
    [/^(?:HOTPLUG|NETIF|BRIDGE_IFNAME)$/, ''],
  ];
  const found = [...origins.keys()].flatMap((key) => {
    const reason = reasons.find(([pattern]) => pattern.test(key))?.[1];
    return reason === undefined || reason === '' ? [] : [{ key, reason }];
  });
  const password = config.vnc.kind !== 'off' && config.vnc.passwordFile !== undefined;
  const keys = config.disks
    .filter(({ key }) => key !== undefined)
    .map(({ index }) => ({
      key: `DSK${index}`,
      reason: 'the key of the image is in a file: define a secret of libvirt',
    }));
  const flags = (config.cpu ?? '').split(',').filter((flag) => flag.startsWith('hv-') || flag.startsWith('kvm='));
  return [
    ...found,
    ...keys,
    ...options(config),
    ...(password ? [{ key: 'VNC', reason: 'the password is in a file: add passwd=' }] : []),
    ...(flags.length > 0 ? [{ key: 'CPU', reason: `features are elsewhere in libvirt: ${flags.join(',')}` }] : []),
  ];
}

/** Options of devices that are not written, each with the key of its device. */
function options({ disks, nics, usb }: MachineConfig): ExportLoss[] {
  const lost = (stem: string, index: number, isLost: boolean, reason: string): ExportLoss[] =>
    isLost ? [{ key: `${stem}${index}`, reason }] : [];
  return [
    ...disks.flatMap(({ index, ioThread, backing }) => [
      ...lost('DSK', index, ioThread === true, 'iothread= is not written'),
      ...lost('DSK', index, backing.length > 0, 'backing= is not written: the image names what it rests on'),
    ]),
    ...nics.flatMap(({ index, hostForwards, addresses }) => [
      ...lost('NIC', index, hostForwards.length > 0, 'hostfwd= is not written'),
      ...lost('NIC', index, addresses.length > 0, 'ip= is not written'),
    ]),
    ...usb.flatMap(({ index, device }) =>
      lost('USB', index, !device.includes(':'), 'devices at a port are not written'),
    ),
  ];
}
