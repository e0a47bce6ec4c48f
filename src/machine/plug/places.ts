import type { Device, Part } from '../argv/description.ts';

/** Slots of `pci.0` that no device of ours has, for those whose own place is one function of a slot of several. */
const SPARE_SLOTS = ['0x1c', '0x1d', '0x1e'] as const;

/** Why a device cannot be plugged in or unplugged, as a clause. */
export type Obstacle = string;

/** Whether a device that runs can be taken out; else why not. */
export function unplugObstacle({ bus }: Pick<Device, 'bus'>): Obstacle | undefined {
  if (bus === undefined || bus === 'pci.0' || bus === 'scsi0.0' || bus === 'usb.0' || isPort(bus)) return undefined;
  if (bus === 'pcie.0') return 'it was there at the start, in a place of the board that lets nothing out';
  return 'its controller takes and gives nothing while the machine runs';
}

/** A free PCIe root port by its name. */
export function isPort(bus: string | undefined): boolean {
  return /^hp\d+$/.test(bus ?? '');
}

/** The ports and spare slots of a machine, and which of them are taken. */
export class Places {
  readonly #free: string[];
  readonly #ports: number;

  /**
   * @param parts as they run.
   * @param occupied names of further ports that have something in them.
   */
  constructor(parts: readonly Part[], occupied: Iterable<string>) {
    const devices = parts.filter((part) => part.kind === 'device');
    const ports = devices.flatMap(({ driver, id = '' }) => (driver === 'pcie-root-port' && isPort(id) ? [id] : []));
    const slots = devices.some(({ bus }) => bus === 'pci.0') ? SPARE_SLOTS : [];
    const taken = new Set([...occupied, ...devices.map(({ bus }) => bus), ...devices.map(({ addr }) => addr)]);
    this.#ports = ports.length;
    this.#free = [...ports.toSorted((a, b) => numberOf(a) - numberOf(b)), ...slots].filter((each) => !taken.has(each));
  }

  /** The device in a place that takes it while the machine runs; a text says why there is none. */
  place(device: Device): Device | Obstacle {
    const { bus, addr = '' } = device;
    if (bus === 'scsi0.0' || bus === 'usb.0') return device;
    if (bus === 'pcie.0') {
      const port = this.#free.shift();
      if (port !== undefined) return { ...device, bus: port, addr: undefined, multifunction: undefined };
      return this.#ports === 0
        ? 'the machine has no hot-plug ports (HOTPLUG=0)'
        : `all ${this.#ports} hot-plug ports are in use; a higher HOTPLUG makes more at the next start`;
    }
    if (bus === 'pci.0') {
      // A guest that has looked at function 0 of a slot sees no other one that comes later.
      if (!addr.includes('.')) return { ...device, multifunction: undefined };
      const slot = this.#free.shift();
      return slot === undefined ? 'all slots for it are in use' : { ...device, addr: slot, multifunction: undefined };
    }
    if (bus === undefined && !/isa|-device$/.test(device.driver)) return device;
    return 'its controller takes and gives nothing while the machine runs';
  }

  /** Lets a place be taken again, before all others. */
  release({ bus, addr }: Pick<Device, 'bus' | 'addr'>): void {
    if (bus !== undefined && isPort(bus)) this.#free.unshift(bus);
    else if (bus === 'pci.0' && SPARE_SLOTS.some((slot) => slot === addr)) this.#free.unshift(addr ?? '');
  }
}

function numberOf(port: string): number {
  return Number(port.slice(2));
}
