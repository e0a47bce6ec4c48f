import { constants, copyFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import type { MachineConfig } from '../config/types.ts';
import { errorCode, QemuError } from '../errors.ts';
import { ensureDir, namesIn, readTextIfExists } from '../system/files.ts';
import type { MachinePaths } from '../system/paths.ts';
import { trustPath } from '../system/trusted-path.ts';
import { chipsetOf } from './argv/chipset.ts';
import type { FirmwareFiles } from './argv/request.ts';

/** Folders of firmware descriptors, the first wins (QEMU docs/interop/firmware.json). */
const DESCRIPTOR_DIRS = ['/etc/qemu/firmware', '/usr/share/qemu/firmware'];

/**
 * The firmware of a machine: nothing for `bios`, a single image for a path, and for `uefi` and `uefi-secure` what
 * the host's firmware descriptors offer for the machine type.
 *
 * @throws {QemuError} `QEMU_NOT_INSTALLED` when the host has no such firmware.
 */
export function findFirmware(config: MachineConfig, files: MachinePaths): FirmwareFiles | undefined {
  if (config.firmware === 'bios') return undefined;
  if (config.firmware.startsWith('/')) {
    return {
      code: config.firmware,
      codeFormat: 'raw',
      variables: undefined,
      variablesFormat: 'raw',
      secureBoot: false,
    };
  }
  const secureBoot = config.firmware === 'uefi-secure';
  const found = descriptors().find((descriptor) => fits(descriptor, config, secureBoot));
  if (!found) {
    throw new QemuError('QEMU_NOT_INSTALLED', `Cannot find a ${config.firmware} firmware for "${config.machine}"`, {
      hint: 'install one: apt install ovmf',
    });
  }
  const { executable, template } = found;
  return {
    code: executable.filename,
    codeFormat: executable.format,
    variables: join(files.stateDir, secureBoot ? 'secure-vars.fd' : 'vars.fd'),
    variablesFormat: template.format,
    secureBoot,
  };
}

/** Gives the machine its own copy of the firmware's variables when it has none yet. */
export function ensureVariables(config: MachineConfig, firmware: FirmwareFiles | undefined, files: MachinePaths): void {
  if (firmware?.variables === undefined || existsSync(firmware.variables)) return;
  const template = descriptors().find((descriptor) => fits(descriptor, config, firmware.secureBoot))?.template;
  if (!template) return;
  // What root reads there becomes the machine's.
  trustPath(template.filename);
  ensureDir(files.stateDir, 0o700);
  try {
    // COPYFILE_EXCL: variables that are there are the guest's and are never written over.
    copyFileSync(template.filename, firmware.variables, constants.COPYFILE_EXCL);
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return;
    throw new QemuError('QEMU_IO', `Cannot write firmware variables "${firmware.variables}"`, { cause: error });
  }
}

interface Image {
  readonly filename: string;
  readonly format: string;
}

interface Descriptor {
  readonly executable: Image;
  readonly template: Image;
  readonly targets: readonly { readonly architecture: string; readonly machines: readonly string[] }[];
  readonly features: readonly string[];
}

function descriptors(): Descriptor[] {
  const files = new Map<string, string>();
  for (const dir of DESCRIPTOR_DIRS.toReversed()) {
    for (const name of namesIn(dir)) if (name.endsWith('.json')) files.set(name, join(dir, name));
  }
  return [...files.keys()].sort().flatMap((name) => readDescriptor(files.get(name) ?? ''));
}

function readDescriptor(path: string): Descriptor[] {
  let value: unknown;
  try {
    value = JSON.parse(readTextIfExists(path) ?? '');
  } catch {
    return [];
  }
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

function fits(descriptor: Descriptor, config: MachineConfig, secureBoot: boolean): boolean {
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

function image(value: unknown): Image | undefined {
  const filename = field(value, 'filename');
  const format = field(value, 'format');
  return typeof filename === 'string' && typeof format === 'string' ? { filename, format } : undefined;
}
