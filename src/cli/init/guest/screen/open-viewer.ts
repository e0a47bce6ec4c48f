import { QemuError } from '../../../../base/errors.ts';
import type { ScreenAccess } from '../../../../fleet/screen.ts';
import { findProgram } from '../../../../system/process/find-program.ts';
import { runInteractive } from '../../../../system/process/run-interactive.ts';

/** A viewer and what it is given. */
type Viewer = readonly [program: string, ...args: string[]];

/**
 * Runs a viewer on this desktop, and waits until it is closed. Returns its exit status.
 *
 * @throws {QemuError} `QEMU_NOT_INSTALLED` without a viewer or a desktop.
 */
export async function openViewer(access: ScreenAccess): Promise<number> {
  if (!process.env['DISPLAY'] && !process.env['WAYLAND_DISPLAY']) {
    throw new QemuError('QEMU_NOT_INSTALLED', 'There is no desktop to open a viewer on', {
      hint: 'neither DISPLAY nor WAYLAND_DISPLAY is set; see: qemu-init vnc ID',
    });
  }
  const viewers = viewersFor(access);
  for (const [name, ...args] of viewers) {
    const program = findProgram(name);
    if (program !== undefined) return runInteractive(program, args);
  }
  throw new QemuError('QEMU_NOT_INSTALLED', `No VNC viewer is installed: ${viewers.map(([name]) => name).join(', ')}`, {
    hint: 'Debian has them in the packages virt-viewer and tigervnc-viewer',
  });
}

/** Programs that can show it, the best first. Pure. */
export function viewersFor({ host, port, socket, viewer }: ScreenAccess): readonly Viewer[] {
  if (socket !== undefined) {
    return [
      ['remote-viewer', `vnc+unix://${socket}`],
      ['vncviewer', socket],
    ];
  }
  return [
    ['remote-viewer', viewer],
    // Two colons: a port, not a display.
    ['vncviewer', `${host?.includes(':') === true ? `[${host}]` : host}::${port}`],
    ['xdg-open', viewer],
  ];
}
