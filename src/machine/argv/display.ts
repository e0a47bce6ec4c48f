import { quoteComma } from '../../base/text.ts';
import { type Chipset, pciPlace } from './chipset.ts';
import { device, option, type Part } from './description.ts';
import { properties } from './option.ts';
import type { ArgvRequest } from './request.ts';
import { AUDIO_BACKEND } from './sound.ts';

/** QEMU's device for each value of VGA= on a PC. */
const VGA_DEVICES: Readonly<Record<string, string>> = {
  std: 'VGA',
  cirrus: 'cirrus-vga',
  qxl: 'qxl-vga',
  virtio: 'virtio-vga',
  vmware: 'vmware-svga',
  bochs: 'bochs-display',
  ramfb: 'ramfb',
};

/** Targets whose QEMU has no devices that are a VGA and something else: virtio is only the latter there. */
const WITHOUT_VGA = /(?:aarch64|arm|loongarch64|riscv\d+|s390x)$/;

/** QEMU's device for a value of VGA=. */
export function vgaDevice(vga: string, targetArch: string): string {
  return vga === 'virtio' && WITHOUT_VGA.test(targetArch) ? 'virtio-gpu-pci' : (VGA_DEVICES[vga] ?? vga);
}

/** Graphics card and VNC. Nothing is ever shown on the host itself. */
export function displayParts(request: ArgvRequest, chipset: Chipset): Part[] {
  const { config } = request;
  const parts: Part[] = [option('', '-display', 'none')];
  if (config.vga !== 'none') {
    const driver = vgaDevice(config.vga, config.targetArch);
    parts.push(device('VGA', driver, { id: 'vga', ...(driver === 'ramfb' ? {} : pciPlace(chipset, 'vga')) }));
  }
  const address = vncAddress(request);
  if (address !== undefined) {
    const withPassword = config.vnc.kind !== 'off' && config.vnc.passwordFile !== undefined;
    // The password itself is set over QMP once QEMU answers, so that it is on no command line.
    parts.push(
      option(
        'VNC',
        '-vnc',
        properties(address, withPassword && 'password=on', config.sound && `audiodev=${AUDIO_BACKEND}`),
      ),
    );
  }
  if (config.spice) {
    // The permissions of its folder decide who can reach the socket.
    const socket = quoteComma(request.machine.spiceSocket);
    parts.push(option('SPICE', '-spice', `unix=on,addr=${socket},disable-ticketing=on`));
  }
  if (config.keymap !== undefined) parts.push(option('KEYMAP', '-k', config.keymap));
  return parts;
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
