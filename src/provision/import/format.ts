import { QemuError } from '../../base/errors.ts';
import { qemuAt } from './command/program.ts';

/** Kinds of foreign definitions of machines. */
export const IMPORT_FORMATS = ['libvirt', 'proxmox', 'quickemu', 'vm-bhyve', 'ozone', 'command', 'cfg'] as const;

/** Kind of a foreign definition; `ozone` and `cfg` are those of qemu-init itself. */
export type ImportFormat = (typeof IMPORT_FORMATS)[number];

/**
 * Which kind of definition a text is.
 *
 * @throws {QemuError} `QEMU_CONFIG_INVALID` when it looks like none of them.
 */
export function detectFormat(text: string, path: string): ImportFormat {
  const start = text.replace(/^\uFEFF/, '').trimStart();
  if (start.startsWith('<')) return 'libvirt';
  if (start.startsWith('{')) return 'ozone';
  if (isCommand(start)) return 'command';
  const keys = new Set([...text.matchAll(/^[ \t]*([A-Za-z_]\w*)=/gm)].map(([, key]) => key ?? ''));
  if (keys.has('loader') || keys.has('disk0_type') || keys.has('network0_type')) return 'vm-bhyve';
  if (keys.has('guest_os') || keys.has('disk_img')) return 'quickemu';
  const entries = [...text.matchAll(/^([a-z][\w-]*\d*):\s/gm)].map(([, key]) => key ?? '');
  if (
    entries.some((key) =>
      /^(?:memory|cores|sockets|scsihw|ostype|net\d|scsi\d|ide\d|sata\d|virtio\d|bootdisk|boot)$/.test(key),
    )
  ) {
    return 'proxmox';
  }
  if (path.endsWith('.cfg') || [...keys].some((key) => /^[A-Z]+\d*$/.test(key))) return 'cfg';
  throw new QemuError('QEMU_CONFIG_INVALID', `${path}: not a definition of a machine that can be read`, {
    hint: `there are ${IMPORT_FORMATS.join(', ')}; say which with --format`,
  });
}

/** Whether one of the lines runs QEMU. A `/proc/PID/cmdline` has words that end in NUL. */
function isCommand(text: string): boolean {
  if (text.includes('\0')) return qemuAt(text.split('\0').slice(0, 20)) >= 0;
  const lines = text.replaceAll(/\\\r?\n/g, ' ').split(/\n|;|&&|\|\|/);
  return lines.some((line) => /qemu|kvm/.test(line) && qemuAt(line.slice(0, 4096).split(/\s+/).filter(Boolean)) >= 0);
}
