import { nearest } from '../../base/text.ts';

/**
 * Words of QEMU, libvirt, Proxmox VE, VirtualBox and of people for what has another name here. The first that the place at hand
 * knows is the one that is meant.
 */
const OTHER_WORDS: Readonly<Record<string, readonly string[]>> = {
  // Values.
  c: ['disk'],
  cd: ['cdrom'],
  d: ['cdrom'],
  dvd: ['cdrom'],
  hd: ['disk'],
  hdd: ['disk'],
  n: ['network'],
  net: ['network'],
  pxe: ['network'],
  nat: ['user'],
  slirp: ['user'],
  usermode: ['user'],
  tap: ['bridge', 'managed'],
  bridged: ['bridge'],
  efi: ['uefi'],
  ovmf: ['uefi'],
  secureboot: ['uefi-secure'],
  seabios: ['bios'],
  vga: ['std'],
  vmvga: ['vmware'],
  ahci: ['sata'],
  'virtio-blk': ['virtio'],
  'virtio-scsi': ['scsi'],
  never: ['no'],
  'unless-stopped': ['always'],
  poweroff: ['shutdown'],
  ga: ['agent'],
  'guest-agent': ['agent'],
  // Names of options.
  address: ['mac', 'ip'],
  br: ['bridge'],
  bus: ['if'],
  fmt: ['format'],
  forward: ['hostfwd'],
  hwaddr: ['mac'],
  interface: ['if'],
  macaddr: ['mac'],
  mode: ['net'],
  portfwd: ['hostfwd'],
  ro: ['readonly'],
  secret: ['key'],
  tag: ['vlan'],
  type: ['format', 'net'],
};

/** The one of `words` that was meant by another name for it, or by its spelling; undefined when none was. */
export function meantWord(word: string, words: readonly string[]): string | undefined {
  const lower = word.toLowerCase();
  // DSK1 in BOOT, virtio-net-pci for virtio: the same without what only QEMU or a file says. Digits are looked at from the
  // first of them only: from each one, a line full of them would take seconds.
  const bare = lower.replace(/(?<!\d)\d+$/, '').replace(/-(?:pci|device)$/, '');
  const known = [lower, bare].flatMap((each) => (Object.hasOwn(OTHER_WORDS, each) ? (OTHER_WORDS[each] ?? []) : []));
  const family = { dsk: 'disk', cdr: 'cdrom', nic: 'network' }[bare];
  const meant = [...known, ...(family === undefined ? [] : [family])].find((each) => words.includes(each));
  return meant ?? nearest(lower, words);
}
