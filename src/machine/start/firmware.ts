import { realpathSync } from 'node:fs';
import { QemuError } from '../../base/errors.ts';
import type { MachineConfig } from '../../config/types.ts';
import type { MachinePaths } from '../../system/paths.ts';
import type { FirmwareFiles } from '../argv/request.ts';
import { descriptors, type FirmwareImage, fits } from './firmware-descriptors.ts';
import { ensureStore, ownStore, storeFormat, type VariableStore } from './firmware-store.ts';

/** What a firmware consists of, without the machine's own variables. */
interface Found {
  readonly code: FirmwareImage;
  /**
   * What its variables begin with; undefined for a single image without any, and for one of which the host does not say
   * it.
   */
  readonly template: FirmwareImage | undefined;
  readonly secureBoot: boolean;
}

/**
 * The firmware of a machine: nothing for `bios`; for `uefi` and `uefi-secure` what the host's firmware descriptors
 * offer for the machine type; for a path flash when a descriptor names it or it has variables, else a single image.
 * Variables that the cfg names are the machine's own and used where they are; else it has some in its state folder.
 *
 * @throws {QemuError} `QEMU_NOT_INSTALLED` when the host has no such firmware.
 */
export function findFirmware(config: MachineConfig, files: MachinePaths): FirmwareFiles | undefined {
  const found = look(config);
  if (found === undefined) return undefined;
  const { code, template, secureBoot } = found;
  const known = { code: code.filename, codeFormat: code.format, secureBoot, template: template?.filename };
  const named = config.firmwareVariables;
  if (named !== undefined) return { ...known, variables: named, variablesFormat: storeFormat(named) };
  if (template === undefined) return { ...known, variables: undefined, variablesFormat: 'raw' };
  const { file, format } = ownStore(config, files, template);
  return { ...known, variables: file, variablesFormat: format };
}

/**
 * Where the machine has its own variables, or will have them; undefined when the cfg names them, and for a firmware
 * without any.
 */
export function storeOf(config: MachineConfig, files: MachinePaths): VariableStore | undefined {
  const template = config.firmwareVariables === undefined ? look(config)?.template : undefined;
  return template === undefined ? undefined : ownStore(config, files, template);
}

/**
 * Gives the machine its own variables when it has none yet.
 *
 * @throws {QemuError} as {@link findFirmware}; `QEMU_IO` when they cannot be written, `QEMU_NOT_PERMITTED` for a
 * template that others may write, `QEMU_ABORTED`.
 */
export async function ensureVariables(
  config: MachineConfig,
  files: MachinePaths,
  signal: AbortSignal | undefined,
): Promise<void> {
  const template = config.firmwareVariables === undefined ? look(config)?.template : undefined;
  if (template !== undefined) await ensureStore(ownStore(config, files, template), template, files, signal);
}

function look(config: MachineConfig): Found | undefined {
  if (config.firmware === 'bios') return undefined;
  if (config.firmware.startsWith('/')) return lookAtImage(config.firmware);
  const secureBoot = config.firmware === 'uefi-secure';
  const found = descriptors().find((descriptor) => fits(descriptor, config, secureBoot));
  if (found) return { code: found.executable, template: found.template, secureBoot };
  throw new QemuError('QEMU_NOT_INSTALLED', `Cannot find a ${config.firmware} firmware for "${config.machine}"`, {
    hint: firmwareHint(config.targetArch),
  });
}

/** For programs of other names, such as qemu-kvm, the target is that of most hosts. */
function firmwareHint(program: string): string {
  const target = /qemu-system-(\w+)$/.exec(program)?.[1] ?? 'x86_64';
  const pack = Object.hasOwn(PACKAGES, target) ? PACKAGES[target] : undefined;
  return pack === undefined ? 'remove FIRMWARE: there is none for this target' : `install one: apt install ${pack}`;
}

/** Packages of Debian by target. */
const PACKAGES: Readonly<Record<string, string>> = {
  x86_64: 'ovmf',
  i386: 'ovmf-ia32',
  aarch64: 'qemu-efi-aarch64',
  arm: 'qemu-efi-arm',
  riscv64: 'qemu-efi-riscv64',
  loongarch64: 'qemu-efi-loongarch64',
};

function lookAtImage(firmware: string): Found {
  const known = descriptors();
  // Each name of one file has its own variables.
  const found =
    known.find(({ executable }) => executable.filename === firmware) ??
    known.find(({ executable }) => isSameFile(executable.filename, firmware));
  return {
    code: { filename: firmware, format: found?.executable.format ?? 'raw' },
    template: found?.template,
    secureBoot: found?.features.includes('requires-smm') ?? false,
  };
}

/** Whether two names are of one file. */
export function isSameFile(a: string, b: string): boolean {
  try {
    return realpathSync(a) === realpathSync(b);
  } catch {
    return false;
  }
}
