import type { KeySpec } from './key-spec.ts';

const IDENTITY = 'Identity';

/** Keys of the group 'Identity', in the order of the template. */
export const IDENTITY_KEYS = [
  {
    name: 'NAME',
    group: IDENTITY,
    type: 'name',
    default: '',
    example: 'web',
    inDefaults: false,
    otherNames: ['HOSTNAME', 'VM_NAME', 'VMNAME'],
    doc: 'name of the guest; default: the long name of the machine (its file name without -qemu.cfg)',
  },
  {
    name: 'OS',
    group: IDENTITY,
    type: 'text',
    default: '',
    example: 'debian',
    doc: 'label of the operating system; MAC addresses are derived from it, NAME and the number of the NIC',
  },
  { name: 'DESC', group: IDENTITY, type: 'text', default: '', example: 'web server', doc: 'free text, shown in lists' },
  {
    name: 'UUID',
    group: IDENTITY,
    type: 'uuid',
    default: '',
    example: '6ba7b810-9dad-41d1-80b4-00c04fd430c8',
    inDefaults: false,
    isRare: true,
    doc: 'UUID of the guest; default: derived from NAME (RFC 4122, version 5)',
  },
] as const satisfies readonly KeySpec[];
