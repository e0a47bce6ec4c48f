import type { MachineConfig } from '../config/types.ts';
import type { QemuProbe } from '../system/probe/qemu-probe.ts';
import { vgaDevice } from './argv/display.ts';

/**
 * The machine with its defaults adapted to the target of its QEMU: no graphics card, agent, random numbers,
 * balloon or ports where there are no such devices. What the file states stays, see {@link targetIssues}.
 */
export function fitToTarget(config: MachineConfig, { devices }: QemuProbe): MachineConfig {
  const fits = (key: string, names: readonly string[]): boolean =>
    config.origins.has(key) || names.some((name) => devices.has(name));
  const { vga, agent, rng, balloon, hotplug } = config;
  return {
    ...config,
    vga: fits('VGA', [vgaDevice(vga, config.targetArch)]) ? vga : 'none',
    agent: agent && fits('QGA', virtio('serial')),
    rng: rng && fits('RNG', virtio('rng')),
    balloon: balloon && fits('BALLOON', virtio('balloon')),
    hotplug: fits('HOTPLUG', ['pcie-root-port']) ? hotplug : 0,
  };
}

/** A virtio device on each of its buses. */
export function virtio(kind: string): readonly string[] {
  return ['pci', 'ccw', 'device'].map((bus) => `virtio-${kind}-${bus}`);
}

/** The model used for `auto` and `host` under TCG; empty: QEMU's default, where the target has no `max`. */
export function emulatedCpu({ cpus }: QemuProbe): string {
  return cpus.has('max') ? 'max' : '';
}
