import type { KeySpec } from './key-spec.ts';
import { SWITCH_VALUES } from './values.ts';

const RIGHTS = 'Rights of QEMU';

/** Keys of the group 'Rights of QEMU', in the order of the template. */
export const RIGHTS_KEYS = [
  {
    name: 'RUNAS',
    group: RIGHTS,
    type: 'user',
    default: '',
    example: 'auto',
    otherNames: ['USER', 'VM_USER'],
    doc: 'user that QEMU runs as from its first instruction; auto: one for this machine only; default: the caller',
  },
  {
    name: 'SANDBOX',
    group: RIGHTS,
    type: 'switch',
    default: 'off',
    values: SWITCH_VALUES,
    otherNames: ['SECCOMP'],
    doc: "QEMU's seccomp filter with all four denials",
  },
  {
    name: 'LIMIT_CPU',
    group: RIGHTS,
    type: 'text',
    default: '',
    example: '150%',
    isRare: true,
    doc: 'processor time of its unit of systemd: 150%, or 1.5, is one and a half processors',
    details: [
      'A machine that is not started in its unit (start --direct, --root) gets a scope of systemd with LIMIT_CPU, ' +
        'LIMIT_MEMORY and LIMIT_IO for QEMU alone. Where that is impossible, the start reports that they have no effect.',
    ],
  },
  {
    name: 'LIMIT_MEMORY',
    group: RIGHTS,
    type: 'size',
    default: '',
    example: '3G',
    isRare: true,
    doc: 'memory of all processes in its unit, past which the kernel ends QEMU; more than RAM',
    details: ['There is no limit while the machine is stopped or restarted live, since that needs memory itself.'],
  },
  {
    name: 'LIMIT_IO',
    group: RIGHTS,
    type: 'size',
    default: '',
    example: '100M',
    isRare: true,
    doc: 'most bytes that its unit reads, and writes, in a second on the devices with its disks',
  },
  {
    name: 'CPUSET',
    group: RIGHTS,
    type: 'text',
    default: '',
    example: '0-3,8',
    isRare: true,
    doc: 'processors of the host that QEMU and its helpers may run on; default: all',
  },
] as const satisfies readonly KeySpec[];
