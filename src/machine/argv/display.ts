import { quoteComma } from '../../base/text.ts';
import { type Chipset, pciPlace } from './chipset.ts';
import { type Option, option, properties } from './option.ts';
import type { ArgvRequest } from './request.ts';

/** QEMU's device for each value of VGA=. */
export const VGA_DEVICES: Readonly<Record<string, string>> = {
  std: 'VGA',
  cirrus: 'cirrus-vga',
  qxl: 'qxl-vga',
  virtio: 'virtio-vga',
  vmware: 'vmware-svga',
  bochs: 'bochs-display',
  ramfb: 'ramfb',
};

/** Graphics card and VNC. Nothing is ever shown on the host itself. */
export function displayOptions(request: ArgvRequest, chipset: Chipset): Option[] {
  const { config } = request;
  const options: Option[] = [option('', '-display', 'none')];
  if (config.vga !== 'none') {
    const device = VGA_DEVICES[config.vga] ?? config.vga;
    options.push(
      option('VGA', '-device', properties(device, 'id=vga', device !== 'ramfb' && pciPlace(chipset, 'vga'))),
    );
  }
  const address = vncAddress(request);
  if (address !== undefined) {
    const withPassword = config.vnc.kind !== 'off' && config.vnc.passwordFile !== undefined;
    // The password itself is set over QMP once QEMU answers, so that it is on no command line.
    options.push(option('VNC', '-vnc', properties(address, withPassword && 'password=on')));
  }
  return options;
}

/** Display of the machine's VNC server; undefined when it has none or listens on a socket. */
export function vncDisplay({ config, allocation }: ArgvRequest): number | undefined {
  return config.vnc.kind === 'tcp' ? (config.vnc.display ?? allocation.vncDisplay) : undefined;
}

function vncAddress(request: ArgvRequest): string | undefined {
  const { vnc } = request.config;
  if (vnc.kind === 'off') return undefined;
  if (vnc.kind === 'unix') return `unix:${quoteComma(request.machine.vncSocket)}`;
  const display = vncDisplay(request);
  if (display === undefined) return undefined;
  return `${vnc.host.includes(':') ? `[${vnc.host}]` : vnc.host}:${display}`;
}
