import type { Definition } from '../import-files.ts';
import { COMMAND } from './command.ts';
import { domain, LIBVIRT } from './libvirt.ts';
import { PROXMOX } from './proxmox.ts';
import { QUICKEMU } from './quickemu.ts';
import type { Variant } from './variant.ts';
import { VM_BHYVE } from './vm-bhyve.ts';

/** A definition, and a line that the cfg then has, or what is said of a part of it. */
export interface KnownDefinition extends Definition {
  readonly wanted: string | RegExp;
}

/** Definitions of all kinds of programs, with a part or two in each. */
export const DEFINITIONS: readonly KnownDefinition[] = [
  ...definitions('libvirt', 'etc/libvirt/qemu/web.xml', LIBVIRT, domain),
  ...definitions('Proxmox VE', 'etc/pve/qemu-server/105.conf', PROXMOX, (part) =>
    part.includes('memory:') ? `${part}\n` : `memory: 512\n${part}\n`,
  ),
  ...definitions('command', 'srv/run.sh', COMMAND, (part) => {
    if (part.includes('-name web')) return `qemu-system-x86_64 ${part}`;
    // One of them has a comment at its end.
    return part.startsWith('-name') ? `qemu-system-x86_64 ${part}\n-name x` : `qemu-system-x86_64 -name x ${part}`;
  }),
  ...definitions('vm-bhyve', 'vm/g/g.conf', VM_BHYVE, (part) =>
    part.includes('loader') ? `${part}\n` : `loader="uefi"\n${part}\n`,
  ),
  ...definitions('quickemu', 'h/l.conf', QUICKEMU, (part) => `guest_os="linux"\ndisk_img="d.qcow2"\n${part}\n`),
];

function definitions(
  program: string,
  path: string,
  variants: readonly Variant[],
  textOf: (part: string) => string,
): KnownDefinition[] {
  return variants.map(([part, wanted]) => ({
    title: `${program}: ${part.replaceAll('\n', '; ').slice(0, 70)}`,
    path,
    text: textOf(part),
    wanted,
  }));
}
