import type { MachineConfig } from '../../config/types.ts';
import { chipsetOf } from '../argv/chipset.ts';
import { qemuDescriptors } from './qemu-descriptors.ts';

/** A file of a firmware. */
export interface FirmwareImage {
  readonly filename: string;
  readonly format: string;
}

/** A flash firmware of this host. */
export interface Descriptor {
  readonly executable: FirmwareImage;
  readonly template: FirmwareImage;
  readonly targets: readonly { readonly architecture: string; readonly machines: readonly string[] }[];
  readonly features: readonly string[];
}

/** The flash firmware of this host, best first. */
export function descriptors(): Descriptor[] {
  return qemuDescriptors('firmware').flatMap(readDescriptor);
}

function readDescriptor(value: unknown): Descriptor[] {
  const mapping = field(value, 'mapping');
  const executable = image(field(mapping, 'executable'));
  const template = image(field(mapping, 'nvram-template'));
  if (field(mapping, 'device') !== 'flash' || !executable || !template) return [];
  return [
    { executable, template, targets: targets(field(value, 'targets')), features: texts(field(value, 'features')) },
  ];
}

function targets(value: unknown): Descriptor['targets'] {
  return list(value).map((target) => ({
    architecture: String(field(target, 'architecture')),
    machines: texts(field(target, 'machines')),
  }));
}

/** Whether a firmware is for the board of a machine, with or without Secure Boot. */
export function fits(descriptor: Descriptor, config: MachineConfig, secureBoot: boolean): boolean {
  const architecture = /qemu-system-(\w+)$/.exec(config.targetArch)?.[1];
  const type = config.machine.split(',')[0] ?? '';
  // Descriptors name full types by patterns such as pc-q35-*; the short names stand for the newest of them.
  const fullType = { q35: 'pc-q35-', pc: 'pc-i440fx-', virt: 'virt-', other: type }[chipsetOf(type)];
  const forTarget = descriptor.targets.some(
    (target) =>
      target.architecture === architecture &&
      target.machines.some((pattern) => pattern.replace(/\*$/, '') === fullType || pattern === type),
  );
  const enrolled = descriptor.features.includes('enrolled-keys') && descriptor.features.includes('secure-boot');
  return forTarget && enrolled === secureBoot && (secureBoot || !descriptor.features.includes('secure-boot'));
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function texts(value: unknown): string[] {
  return list(value).filter((item) => typeof item === 'string');
}

function image(value: unknown): FirmwareImage | undefined {
  const filename = field(value, 'filename');
  const format = field(value, 'format');
  return typeof filename === 'string' && typeof format === 'string' ? { filename, format } : undefined;
}
