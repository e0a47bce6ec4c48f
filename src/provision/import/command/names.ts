/** Devices that have a shorter or an older name (QEMU's system/qdev-monitor.c), as they are called on a PC. */
const DEVICES: Readonly<Record<string, string>> = {
  ac97: 'AC97',
  ahci: 'ich9-ahci',
  'e1000-82540em': 'e1000',
  es1370: 'ES1370',
  lsi: 'lsi53c895a',
  'virtio-9p': 'virtio-9p-pci',
  'virtio-balloon': 'virtio-balloon-pci',
  'virtio-blk': 'virtio-blk-pci',
  'virtio-gpu': 'virtio-gpu-pci',
  'virtio-net': 'virtio-net-pci',
  // PCI takes the place of the slots of virtio-mmio.
  'virtio-net-device': 'virtio-net-pci',
  'virtio-rng': 'virtio-rng-pci',
  'virtio-scsi': 'virtio-scsi-pci',
  'virtio-serial': 'virtio-serial-pci',
  'virtio-sound': 'virtio-sound-pci',
};

type Property = readonly [name: string, value: string];

/** A `-device` by the name that readers know. */
export function deviceNames(properties: readonly Property[]): Property[] {
  const isCdrom = properties.some(([name, value]) => name === 'drive' && /cd/.test(value));
  return properties.map(([name, value]): Property => {
    if (name !== 'driver') return [name, value];
    const old = /^(ide|scsi)-(?:drive|disk)$/.exec(value)?.[1];
    return [name, old === undefined ? (DEVICES[value] ?? value) : `${old}-${isCdrom ? 'cd' : 'hd'}`];
  });
}

/** A `-drive` by the names and values that readers know. */
export function driveNames(properties: readonly Property[]): Property[] {
  return properties.map(([name, value]): Property => {
    if (name === 'driver') return ['format', value];
    if (name === 'read-only') return ['readonly', value];
    if (name === 'discard') return [name, value === 'on' ? 'unmap' : value === 'off' ? 'ignore' : value];
    return [name, value];
  });
}

/** Whether QEMU is one that the distributions start with KVM by its name. */
export function isKvmByName(program: string): boolean {
  return program === 'kvm' || program === 'qemu-kvm';
}

/** What a QEMU takes for a machine when it is told none (`-machine help`). Others, such as ARM, have no default. */
const BOARDS: Readonly<Record<string, string>> = {
  alpha: 'clipper',
  cris: 'axis-dev88',
  hppa: 'B160L',
  i386: 'pc',
  loongarch64: 'virt',
  m68k: 'mcf5208evb',
  microblaze: 'petalogix-s3adsp1800',
  mips: 'malta',
  mips64: 'malta',
  mips64el: 'malta',
  mipsel: 'malta',
  nios2: '10m50-ghrd',
  or1k: 'or1k-sim',
  ppc: 'g3beige',
  ppc64: 'pseries',
  ppc64le: 'pseries',
  riscv32: 'spike',
  riscv64: 'spike',
  s390x: 's390-ccw-virtio',
  sh4: 'shix',
  sparc: 'SS-5',
  sparc64: 'sun4u',
  x86_64: 'pc',
  xtensa: 'sim',
};

/** The machine of a QEMU that is told none; undefined: it does not start. */
export function defaultBoard(target: string): string | undefined {
  return BOARDS[target];
}

/** Cards that boards have by themselves (`info network`), by `TARGET BOARD`; others have none. */
const CARDS: readonly (readonly [board: RegExp, model: string])[] = [
  [/ pc-q35| q35/, 'e1000e'],
  [/^(?:i386|x86_64) pc/, 'e1000'],
  [/ isapc/, 'ne2k_isa'],
  [/^(?:aarch64|arm|loongarch64|xtensa) virt/, 'virtio-net-pci'],
  [/ ppce500/, 'virtio-net-pci'],
  [/ sbsa-ref/, 'e1000e'],
  [/ s390/, 'virtio-net-ccw'],
  [/ malta/, 'pcnet'],
  [/ g3beige/, 'ne2k_pci'],
  [/ mac99/, 'sungem'],
  [/ sun4u/, 'sunhme'],
  [/ clipper/, 'e1000'],
];

/** Card of a board that is asked for one without a model. */
export function defaultCard(target: string, board: string): string | undefined {
  return CARDS.find(([pattern]) => pattern.test(`${target} ${board}`))?.[1];
}

/** Network chips that are part of a board: no device can be made of them, but `-nic` connects them. */
const CHIPS =
  /^(?:allwinner-\S+|cadence_gem|dp83932|etraxfs-eth|etsec|ftgmac100|imx\.\w+|lan9118|lance|mcf_fec|mipsnet|msf2-emac|npcm\S+|open_eth|smc91c111|stellaris_enet|xgmac)$/;

/** Whether a network card of that model is part of the board. */
export function isChip(model: string): boolean {
  return CHIPS.test(model);
}

/** Boards that show something by themselves, by `TARGET BOARD`. */
const WITH_SCREEN =
  /^(?:i386|x86_64) (?!microvm|none|x-remote)|^ppc64(?:le)? pseries|^ppc\d* (?:g3beige|mac99|prep|40p)|^mips\w* malta|^sparc64 sun4|^alpha /;

/** Whether QEMU gives a board a graphics card that is told none. */
export function hasScreen(target: string, board: string): boolean {
  return WITH_SCREEN.test(`${target} ${board}`);
}

/** Processor of a QEMU that is told none, where it is the same for all machines. */
export function defaultProcessor(target: string): string | undefined {
  return { i386: 'qemu32', x86_64: 'qemu64' }[target];
}

/** Target of the QEMU that a draft has. */
export function targetOf(binary: string | undefined): string {
  return /qemu-system-(\w+)$/.exec(binary ?? '')?.[1] ?? 'x86_64';
}
