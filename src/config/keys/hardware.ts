import type { KeySpec } from './key-spec.ts';
import { HUGEPAGES_VALUES, KVM_VALUES } from './values.ts';

/** The group that the keys of the board are in, too. */
export const HARDWARE = 'Hardware';

/** What the machine is made of: program, board, processors and memory. In the order of the template, before {@link BOARD_KEYS}. */
export const HARDWARE_KEYS = [
  {
    name: 'TGTARCH',
    group: HARDWARE,
    type: 'program',
    default: 'qemu-system-x86_64',
    otherNames: ['ARCH', 'QEMU', 'VM_ARCH'],
    isRare: true,
    doc: 'QEMU program, name or path',
  },
  {
    name: 'MACHINE',
    group: HARDWARE,
    type: 'machineType',
    default: 'q35',
    doc: 'machine type as for -machine; a versioned one such as pc-q35-7.2 does not change with QEMU upgrades',
    details: [
      'If TGTARCH has no q35, the default is the board of that target: virt (aarch64, arm, riscv64, loongarch64 …), ' +
        's390-ccw-virtio, pseries (ppc64).',
    ],
  },
  {
    name: 'CPU',
    group: HARDWARE,
    type: 'cpu',
    default: 'auto',
    values: ['auto', 'host', 'max'],
    doc: 'processor model as for -cpu; auto: host with KVM, otherwise max if the target has it',
    details: [
      'On x86, x86-64-v2, x86-64-v2-AES, x86-64-v3 and x86-64-v4 have exactly the features of those levels, so a ' +
        'machine can migrate between hosts of different makes. Features can be added: x86-64-v3,+pcid.',
    ],
  },
  {
    name: 'SMP',
    group: HARDWARE,
    type: 'smp',
    default: '1',
    min: 1,
    max: 1024,
    otherNames: ['CPUS', 'VCPU', 'VCPUS', 'CORES', 'CPU_CORES', 'VCORES', 'VM_SMP'],
    doc: 'processors as for -smp: a number, or cpus=, sockets=, cores=, threads= …',
  },
  {
    name: 'RAM',
    group: HARDWARE,
    type: 'size',
    default: '2G',
    otherNames: ['MEM', 'MEMORY', 'MAXMEM', 'VM_MEMORY'],
    doc: 'memory, 1M to 16T: a bare number is MiB; K, M, G and T are powers of 1024 (2GB is 2G)',
  },
  {
    name: 'MAXSMP',
    group: HARDWARE,
    type: 'integer',
    default: '',
    min: 1,
    max: 1024,
    example: '8',
    isRare: true,
    doc: 'number of processors that there is room for: a reload then plugs in what SMP has more; default: none',
    details: [
      'Levels such as sockets= in SMP are then those of all that there is room for: `SMP=2,sockets=2,cores=2`, `MAXSMP=4`.',
    ],
  },
  {
    name: 'MAXRAM',
    group: HARDWARE,
    type: 'size',
    default: '',
    example: '16G',
    isRare: true,
    doc: 'memory that there is room for: a reload then plugs in what RAM has more, in pieces of 128M; default: none',
  },
  {
    name: 'HUGEPAGES',
    group: HARDWARE,
    type: 'choice',
    default: 'off',
    values: HUGEPAGES_VALUES,
    isRare: true,
    doc: "memory in huge pages of the host, all of it taken at the start; on: of the host's default size",
    details: [
      'The host has to keep them free: `sysctl -w vm.nr_hugepages=1024` is 2G in pages of 2M, and the file ' +
        '/sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages takes the number of those of 1G. RAM, NUMAx and what a ' +
        'reload plugs in must be multiples of their size. LIMIT_MEMORY does not count them, and a balloon gives few back.',
    ],
  },
  {
    name: 'KVM',
    group: HARDWARE,
    type: 'choice',
    default: 'auto',
    values: KVM_VALUES,
    otherNames: ['ACCEL', 'ENABLE_KVM'],
    isRare: true,
    doc: "on, off, or auto: KVM if it works on this host, otherwise QEMU's emulation, with a notice",
  },
] as const satisfies readonly KeySpec[];
