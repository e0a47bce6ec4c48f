import type { KeySpec, OptionSpec } from './key-spec.ts';
import { SHARE_DRIVERS, SWITCH_VALUES } from './values.ts';

const HOST_DEVICES = 'Host devices';

const SHARE_OPTIONS = [
  {
    name: 'tag',
    type: 'text',
    default: '',
    doc: 'name by which the guest mounts it; default: share1 for SHARE1, and so on',
  },
  { name: 'readonly', type: 'switch', default: 'off', values: SWITCH_VALUES, doc: 'the guest cannot write to it' },
  { name: 'driver', type: 'choice', default: 'virtiofs', values: SHARE_DRIVERS, doc: 'virtiofs or 9p' },
] as const satisfies readonly OptionSpec[];

const USB_OPTIONS = [
  {
    name: 'optional',
    type: 'switch',
    default: 'off',
    values: SWITCH_VALUES,
    bare: true,
    doc: 'the machine also starts while the device is not plugged in',
  },
] as const satisfies readonly OptionSpec[];

/** Keys of the group 'Host devices', in the order of the template. */
export const HOST_DEVICES_KEYS = [
  {
    name: 'SHARE',
    family: true,
    group: HOST_DEVICES,
    type: 'share',
    default: '',
    example: '/srv/data,tag=data',
    max: 8,
    inDefaults: false,
    options: SHARE_OPTIONS,
    isRare: true,
    doc: 'folder of the host that the guest can mount',
    details: [
      'In the guest: mount -t virtiofs data /mnt, or mount -t 9p -o trans=virtio data /mnt. The guest has the rights of ' +
        "the machine's user (RUNAS) in the folder, and what it makes there belongs to that user: give it the folder, or " +
        'rights in it. Groups that the user is also a member of count only with 9p. A link that another user made is ' +
        'not followed on the way to the folder.',
      'virtiofs is fast and needs the program virtiofsd, which runs as that user and ends with QEMU, user namespaces, and ' +
        'memory that it can share with QEMU. If it ends before, status reports it: programs of the guest that use the ' +
        'folder hang then. The virtiofsd of QEMU before version 8 cannot do readonly=on, and lets only root of the guest ' +
        'create files. 9p is part of QEMU and slow; owners and modes that the guest sets, and its links, are kept in ' +
        'extended attributes of the files (user.virtfs), for the guest alone.',
      'A machine with a virtiofs share, or with a 9p share that the guest has mounted, cannot be saved. What is in the ' +
        'folder is not part of snapshots and backups.',
    ],
  },
  {
    name: 'USBHOST',
    stem: 'USB',
    family: true,
    group: HOST_DEVICES,
    type: 'usbHost',
    default: '',
    example: '046d:c52b',
    max: 8,
    inDefaults: false,
    options: USB_OPTIONS,
    isRare: true,
    doc: 'USB device of the host for the guest: VENDOR:PRODUCT, or BUS-PORT such as 1-2.3, then options',
    details: [
      'VENDOR:PRODUCT is what `lsusb` prints, and has to be one device; BUS-PORT is its name in /sys/bus/usb/devices. The ' +
        'user that QEMU runs as needs no right to it: root lends it the node of that device while QEMU opens it. A device ' +
        'that was unplugged from the host and plugged in again is given to the guest by the next reload. The driver of the host has ' +
        'it back after a detach and when the machine stops; after a QEMU that was killed, also by `kill`, only once it is plugged in ' +
        'again, or by `echo 1-2:1.0 > /sys/bus/usb/drivers_probe` for each of its interfaces.',
    ],
  },
  {
    name: 'PCI',
    family: true,
    group: HOST_DEVICES,
    type: 'pciHost',
    default: '',
    example: '0000:03:00.0',
    max: 7,
    inDefaults: false,
    isRare: true,
    doc: 'PCI device of the host for the guest, as lspci -D names it (VFIO)',
    details: [
      'The host needs an IOMMU, and the device the driver vfio-pci, which nothing here gives it: for instance ' +
        '`driverctl set-override 0000:03:00.0 vfio-pci`. The same is true of all devices in its IOMMU group. They go back ' +
        'to the host when the machine ends. All memory of the guest stays in place then, and the guest cannot be saved or moved.',
    ],
  },
] as const satisfies readonly KeySpec[];
