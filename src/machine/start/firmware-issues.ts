import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { QemuError } from '../../base/errors.ts';
import type { Problem } from '../../base/problem.ts';
import { shellCommand } from '../../config/text/shell-words.ts';
import type { MachineConfig } from '../../config/types.ts';
import { readImageInfo } from '../../system/images/image.ts';
import type { MachinePaths } from '../../system/paths.ts';
import { chipsetOf } from '../argv/chipset.ts';
import type { FirmwareFiles } from '../argv/request.ts';
import { fileIssue, issueAt } from '../check/issues.ts';
import { findFirmware, isSameFile, storeOf } from './firmware.ts';
import { descriptors } from './firmware-descriptors.ts';
import { oldCopy, otherStores, sizeOf, storeProblem } from './firmware-store.ts';

type Found = Pick<Problem, 'message' | 'hint'> & Partial<Pick<Problem, 'severity'>>;

/** What QEMU would refuse, or a guest not survive, of a firmware whose files are there. */
export function firmwareIssues(config: MachineConfig, files: MachinePaths): Problem[] {
  const firmware = lookFor(config, files);
  if (firmware === undefined) return [];
  const isPc = ['q35', 'pc'].includes(chipsetOf(config.machine, config.targetArch));
  const { variables } = firmware;
  if (variables === undefined) return issuesOf(config, [biosIssue(firmware, isPc)]);
  const named = config.firmwareVariables;
  if (named === undefined) {
    const store = storeOf(config, files);
    const present = store?.oldFile ?? variables;
    return issuesOf(config, [flashIssue(firmware, present, isPc) ?? newStoreIssue(files, firmware, present)]);
  }
  const missing = unreadable(config, firmware, named);
  if (missing) return [missing];
  return issuesOf(config, [namedIssue(config, files, named) ?? flashIssue(firmware, named, isPc)]);
}

function issuesOf(config: MachineConfig, found: readonly (Found | undefined)[]): Problem[] {
  return found.flatMap((each) => {
    if (each === undefined) return [];
    const { message, hint, severity = 'error' } = each;
    return [{ ...issueAt(config, 'FIRMWARE', message, hint), severity }];
  });
}

function unreadable(config: MachineConfig, { template }: FirmwareFiles, file: string): Problem | undefined {
  try {
    readImageInfo(file);
    return undefined;
  } catch (error) {
    const issue = fileIssue(config, 'FIRMWARE', file, error);
    if (existsSync(file)) return issue;
    return { ...issue, hint: `create it: ${shellCommand('cp', template ?? 'TEMPLATE', file)}; or remove vars=` };
  }
}

/** Of variables that the cfg names. */
function namedIssue({ firmware }: MachineConfig, files: MachinePaths, file: string): Found | undefined {
  const isPath = firmware.startsWith('/');
  const old = oldCopy(firmware, file, files);
  if (old !== undefined) {
    return {
      message: `FIRMWARE vars= is the file that the guest writes to; so far this machine's variables are in "${old}", not in "${file}"`,
      hint: `to keep using those: vars=${old}; otherwise move them away`,
      // A copy of this very file: then it is the beginning of several machines, perhaps.
      severity: isPath ? 'error' : 'warning',
    };
  }
  if (!descriptors().some(({ template }) => isSameFile(template.filename, file))) return undefined;
  return {
    message: `FIRMWARE vars= is the file that the guest writes to, but "${file}" is the template for all machines`,
    hint: 'remove vars= to give the machine its own variables, or name a copy of the file',
  };
}

/** Variables that the machine has of another firmware stay where they are, and are of no use to this one. */
function newStoreIssue(files: MachinePaths, { code }: FirmwareFiles, file: string): Found | undefined {
  if (existsSync(file)) return undefined;
  const others = otherStores(files, file);
  if (others.length === 0) return undefined;
  return {
    message: `FIRMWARE has changed: the variables of "${code}" are new, and the guest may need its boot entries again`,
    hint: `those of the other firmware are kept in ${others.map((each) => `"${each}"`).join(', ')}`,
    severity: 'warning',
  };
}

function flashIssue({ code, template }: FirmwareFiles, file: string, isPc: boolean): Found | undefined {
  const problem = storeProblem(file);
  if (problem !== undefined) return { message: `FIRMWARE variables "${file}" ${problem}`, hint: 'move the file away' };
  const codeBytes = sizeOf(code);
  const templateBytes = sizeOf(template);
  const own = sizeOf(file);
  const bytes = own ?? templateBytes;
  const odd = [
    [code, codeBytes],
    [own === undefined ? template : file, bytes],
  ].find(([, size]) => typeof size === 'number' && (size === 0 || size % FLASH_BLOCK !== 0));
  if (odd !== undefined) {
    return {
      message: `FIRMWARE "${odd[0]}" has ${odd[1]} bytes; flash needs a multiple of ${FLASH_BLOCK}`,
    };
  }
  if (own !== undefined && templateBytes !== undefined && own !== templateBytes) {
    return {
      message: `FIRMWARE variables "${file}" have ${own} bytes, but those of "${code}" have ${templateBytes}: they belong to another firmware`,
      hint: `move them away: ${shellCommand('mv', file, `${file}.old`)}`,
    };
  }
  if (!isPc || (codeBytes ?? 0) + (bytes ?? 0) <= LARGEST_PC_FLASH) return undefined;
  return {
    message: `FIRMWARE "${code}" and its variables "${file}" are larger than 8M, the limit of a PC`,
    hint: own === undefined ? undefined : 'if the variables are from another board, move them away',
  };
}

function biosIssue({ code }: FirmwareFiles, isPc: boolean): Found | undefined {
  const size = sizeOf(code);
  if (size === undefined) return undefined;
  if (isPc && (size === 0 || size % BIOS_BLOCK !== 0)) {
    return { message: `FIRMWARE "${code}" has ${size} bytes; the BIOS image of a PC must be a multiple of 64 KiB` };
  }
  const template = join(dirname(code), basename(code).replace('CODE', 'VARS'));
  if (template === code) return undefined;
  return {
    message: `FIRMWARE "${code}" looks like the code of a flash firmware, but has no variables`,
    hint: `${existsSync(template) ? `copy "${template}", and ` : ''}add ,vars=FILE`,
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

/** Of the flash of PCs and virt boards, and of `-bios` of PCs; QEMU refuses more than 8 MiB of flash on a PC. */
const FLASH_BLOCK = 4096;
const BIOS_BLOCK = 65536;
const LARGEST_PC_FLASH = 8 * 1024 ** 2;
