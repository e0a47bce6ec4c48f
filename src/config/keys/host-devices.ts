import type { KeySpec } from './key-spec.ts';

const HOST_DEVICES = 'Host devices';

/** Keys of the group 'Host devices', in the order of the template. */
export const HOST_DEVICES_KEYS = [
  {
    name: 'SHARE',
    family: true,
    group: HOST_DEVICES,
    type: 'raw',
    default: '',
    example: '/srv/data,tag=data',
    max: 8,
    notYet: 'folders are not shared yet',
    isRare: true,
    doc: 'host folder shared with the guest, by 9p or virtiofs',
  },
  {
    name: 'USBHOST',
    stem: 'USB',
    family: true,
    group: HOST_DEVICES,
    type: 'raw',
    default: '',
    example: '046d:c52b',
    max: 8,
    inDefaults: false,
    notYet: 'USB devices are not passed through yet',
    isRare: true,
    doc: 'host USB device passed through to the guest',
  },
  {
    name: 'PCI',
    family: true,
    group: HOST_DEVICES,
    type: 'raw',
    default: '',
    example: '0000:03:00.0',
    max: 8,
    inDefaults: false,
    notYet: 'PCI devices are not passed through yet',
    isRare: true,
    doc: 'host PCI device passed through to the guest',
  },
] as const satisfies readonly KeySpec[];
