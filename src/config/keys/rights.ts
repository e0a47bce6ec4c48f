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
] as const satisfies readonly KeySpec[];
