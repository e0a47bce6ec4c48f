import type { Variant } from './variant.ts';

/** Lines of a configuration of vm-bhyve. */
export const VM_BHYVE: readonly Variant[] = [
  ['uefi="yes"', 'FIRMWARE=uefi'],
  ['uuid=""\nguest=""\nnetwork0_type="virtio-net"\nnetwork0_mac=""', 'NIC1="virtio-net-pci"'],
  ['disk1_name="/b"\ndisk0_name="/a"\ndisk0_opts="ro,nocache"', /DSK1="\/a,.*readonly=on,cache=none"/],
  ['loader="bhyveload"', 'FIRMWARE=bios'],
  ['loader="uefi-csm"', 'FIRMWARE=bios'],
  ['cpu=4\ncpu_sockets=1\ncpu_cores=2\ncpu_threads=2', 'SMP=4,sockets=1,cores=2,threads=2'],
  ['memory=lots', /memory=lots.*not an amount/],
  ['uuid="random"', /uuid.*derived from the name/],
  ['guest="debian"\nutctime="yes"', 'RTC=utc'],
  ['utctime="no"\ngraphics="no"\ngraphics_port=5900\ngraphics_listen="127.0.0.1"', 'RTC=localtime'],
  ['xhci_mouse="yes"\nvirt_random="yes"\nsound="yes"', 'RNG=on'],
  ['xhci_mouse="no"\nvirt_random="no"\nsound="no"\ngraphics_res="1x1"\nodd="1"', /"odd" has no counterpart/],
  ['passthru0=\'1/0/0\'\ncomports="com1"\nprestart="x"\npriority=1', /passthru0.*PCIx/],
  ['disk0_type="virtio-scsi"\ndisk0_name="../x"', /has "\.\." in it/],
  ['disk0_name="d0"\ndisk0_dev="sparse-zvol"\ndisk0_size="5G"\ndisk0_opts="x"', /not on this host/],
  ['disk0_type="odd"\ndisk0_name="/d"', /no disks of type "odd"/],
  ['network0_type="e1000"\nnetwork0_mac="random"\nnetwork0_span="yes"', 'NIC1="e1000"'],
];
