import { debian13Program, type OtherProgram } from './debian-13.ts';

/** A QEMU, or why there is none. */
export type OtherQemu = OtherProgram;

/** The QEMU of Debian 13. */
export function debian13Qemu(): OtherQemu {
  return debian13Program({
    folder: 'trixie-qemu',
    name: 'qemu',
    // The last two have devices that are modules of their own.
    packages: ['qemu-system-x86', 'qemu-system-modules-opengl', 'qemu-system-modules-spice'],
    start: `QEMU_MODULE_DIR=$lib/qemu exec "$loader" --library-path "$lib" \\
  "$d/usr/bin/qemu-system-x86_64" -L "$d/usr/share/qemu" -L "$d/usr/share/seabios" "$@"`,
  });
}
