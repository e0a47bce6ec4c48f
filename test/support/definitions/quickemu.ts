import type { Variant } from './variant.ts';

/** Lines of a configuration of quickemu. */
export const QUICKEMU: readonly Variant[] = [
  ['guest_os="windows-server"', /NIC1="e1000,/],
  ['disk="5G"', /disk=.*its size/],
  ['boot="legacy"', 'FIRMWARE=bios'],
  ['secureboot="on"', 'FIRMWARE=uefi-secure'],
  ['tpm="on"', /TPM/],
  ['ram="lots"', /ram.*not an amount/],
  ['network="br0"', /NIC1="virtio-net-pci,bridge=br0"/],
  ['network="none"', 'OS=linux'],
  ['ssh_port="2200"\nkeyboard_layout="de"\narch="aarch64"', 'KEYMAP=de'],
  ['sound_card="ac97"', 'SOUND=ac97'],
  ['sound_card="odd"', 'SOUND=hda'],
  ['display="spice"', 'SPICE=on'],
  ['display="gtk"\npublic_dir="none"\nfloppy="a"\nimg="b"\ndisk_size="1G"', /no window is opened/],
  ['public_dir="/srv"', /public_dir.*SHAREx/],
  ['extra_args="-device a -S"', /-device a/],
  ['usb_devices=("046d:c52b")', /USB1|usb_devices/],
  ['disk_format="raw"\nfixed_iso="a.iso"', 'CDR1="/h/a.iso,optional=on"'],
  ['guest_os="truenas-scale"', /NIC1="rtl8139,/],
  ['guest_os="openbsd"', 'VGA=std'],
  ['port_forwards=("53:53")', /NIC1=.*hostfwd=tcp:127\.0\.0\.1:53-:53,hostfwd=udp:127\.0\.0\.1:53-:53"/],
  ['ssh_port="2222"', /ssh_port.*on this host only/],
  ['guest_os="batocera"\nimg="b.img"\ndisk_format="qcow2"', 'DSK2="/h/d.qcow2,format=qcow2"'],
];
