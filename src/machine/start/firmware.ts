import { createHash } from 'node:crypto';
import { constants, copyFileSync, existsSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { errorCode, QemuError } from '../../base/errors.ts';
import type { Problem } from '../../base/problem.ts';
import type { MachineConfig } from '../../config/types.ts';
import { ensureDir, namesIn, readTextIfExists } from '../../system/files/files.ts';
import type { MachinePaths } from '../../system/paths.ts';
import { trustPath } from '../../system/trust/trusted-path.ts';
import { chipsetOf } from '../argv/chipset.ts';
import type { FirmwareFiles } from '../argv/request.ts';
import { issueAt } from '../check/issues.ts';

/** Folders of firmware descriptors, the first wins (QEMU docs/interop/firmware.json). */
const DESCRIPTOR_DIRS = ['/etc/qemu/firmware', '/usr/share/qemu/firmware'];

/**
 * The firmware of a machine: nothing for `bios`; for `uefi` and `uefi-secure` what the host's firmware descriptors offer for the
 * machine type; for a path flash when a descriptor names it or it has variables, else a single image.
 *
 * @throws {QemuError} `QEMU_NOT_INSTALLED` when the host has no such firmware.
 */
export function findFirmware(config: MachineConfig, files: MachinePaths): FirmwareFiles | undefined {
  if (config.firmware === 'bios') return undefined;
  if (config.firmware.startsWith('/')) return imageFirmware(config, files);
  const secureBoot = config.firmware === 'uefi-secure';
  const found = descriptors().find((descriptor) => fits(descriptor, config, secureBoot));
  if (!found) {
    const pack = config.targetArch.endsWith('aarch64') ? 'qemu-efi-aarch64' : 'ovmf';
    throw new QemuError('QEMU_NOT_INSTALLED', `Cannot find a ${config.firmware} firmware for "${config.machine}"`, {
      hint: `install one: apt install ${pack}`,
    });
  }
  const { executable, template } = found;
  return {
    code: executable.filename,
    codeFormat: executable.format,
    variables: join(files.stateDir, secureBoot ? 'secure-vars.fd' : 'vars.fd'),
    variablesFormat: config.firmwareVariables === undefined ? template.format : 'raw',
    secureBoot,
    template: config.firmwareVariables ?? template.filename,
  };
}

function imageFirmware({ firmware, firmwareVariables }: MachineConfig, files: MachinePaths): FirmwareFiles {
  const known = descriptors();
  // Several names of one file have variables of their own each.
  const found =
    known.find(({ executable }) => executable.filename === firmware) ??
    known.find(({ executable }) => isSameFile(executable.filename, firmware));
  const template = firmwareVariables ?? found?.template.filename;
  return {
    code: firmware,
    codeFormat: found?.executable.format ?? 'raw',
    // Variables of one firmware are of no use to another.
    variables: template === undefined ? undefined : join(files.stateDir, `vars-${shortHash(firmware + template)}.fd`),
    variablesFormat: firmwareVariables === undefined ? (found?.template.format ?? 'raw') : 'raw',
    secureBoot: found?.features.includes('requires-smm') ?? false,
    template,
  };
}

/** What QEMU would refuse, or a guest not survive, of a firmware whose files are there. */
export function firmwareIssues(config: MachineConfig, files: MachinePaths): Problem[] {
  const firmware = lookFor(config, files);
  if (firmware === undefined) return [];
  const chipset = chipsetOf(config.machine, config.targetArch);
  const isPc = chipset === 'q35' || chipset === 'pc';
  const found = firmware.variables === undefined ? biosIssue(firmware, isPc) : flashIssue(firmware, isPc);
  if (found === undefined) return [];
  const { message, hint, severity = 'error' } = found;
  return [{ ...issueAt(config, 'FIRMWARE', message, hint), severity }];
}

type Found = Pick<Problem, 'message' | 'hint'> & Partial<Pick<Problem, 'severity'>>;

function flashIssue({ code, template, variables = '' }: FirmwareFiles, isPc: boolean): Found | undefined {
  const own = sizeOf(variables);
  const sizes = [sizeOf(code), own ?? sizeOf(template)].filter((size) => size !== undefined);
  if (sizes.some((size) => size === 0 || size % FLASH_BLOCK !== 0)) {
    return { message: `FIRMWARE has an image whose size is not a multiple of ${FLASH_BLOCK} bytes, as flash needs` };
  }
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (!isPc || total <= LARGEST_PC_FLASH) return undefined;
  return {
    message: 'FIRMWARE and its variables are larger than 8M, all that a PC takes',
    hint: own === undefined ? undefined : `are "${variables}" those of another board? move them away`,
  };
}

function biosIssue({ code }: FirmwareFiles, isPc: boolean): Found | undefined {
  const size = sizeOf(code);
  if (size === undefined) return undefined;
  if (isPc && (size === 0 || size % BIOS_BLOCK !== 0)) {
    return { message: `FIRMWARE "${code}" has ${size} bytes; the BIOS image of a PC is a multiple of 64 KiB` };
  }
  const template = join(dirname(code), basename(code).replace('CODE', 'VARS'));
  if (template === code) return undefined;
  return {
    message: `FIRMWARE "${code}" looks like the code of a flash firmware, and has no variables`,
    hint: `add ,vars=${existsSync(template) ? template : 'FILE'}`,
    severity: 'warning',
  };
}

/** Undefined when the host has no such firmware, which is reported elsewhere. */
function lookFor(config: MachineConfig, files: MachinePaths): FirmwareFiles | undefined {
  try {
    return findFirmware(config, files);
  } catch (error) {
    if (error instanceof QemuError) return undefined;
    throw error;
  }
}

/** Undefined when the file cannot be looked at. */
function sizeOf(file: string | undefined): number | undefined {
  try {
    return file === undefined ? undefined : statSync(file).size;
  } catch {
    return undefined;
  }
}

/** Of the flash of PCs and virt boards, and of `-bios` of PCs; QEMU refuses more than 8 MiB of flash on a PC. */
const FLASH_BLOCK = 4096;
const BIOS_BLOCK = 65536;
const LARGEST_PC_FLASH = 8 * 1024 ** 2;

function isSameFile(a: string, b: string): boolean {
  try {
    return realpathSync(a) === realpathSync(b);
  } catch {
    return false;
  }
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}

/** Gives the machine its own copy of the firmware's variables when it has none yet. */
export function ensureVariables(firmware: FirmwareFiles | undefined, files: MachinePaths): void {
  if (firmware?.variables === undefined || firmware.template === undefined || existsSync(firmware.variables)) return;
  // What root reads there becomes the machine's.
  trustPath(firmware.template);
  ensureDir(files.stateDir, 0o700);
  try {
    // COPYFILE_EXCL: variables that are there are the guest's and are never written over.
    copyFileSync(firmware.template, firmware.variables, constants.COPYFILE_EXCL);
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
