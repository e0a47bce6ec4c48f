import { isNotFound } from '../../base/errors.ts';
import type { Problem } from '../../base/problem.ts';
import type { DiskConfig } from '../../config/device-config.ts';
import { shellCommand } from '../../config/text/shell-words.ts';
import type { MachineConfig } from '../../config/types.ts';
import type { ChainProblem, ImageChain, ImageLayer } from '../../system/images/image-chain.ts';
import { fileIssue, issueAt } from '../check/issues.ts';
import { formatHint } from './disk-format.ts';
import { keyProblem } from './image-keys.ts';

/** What is wrong with a chain that could not be followed; undefined when it is reported already. */
export function chainIssue(
  config: MachineConfig,
  key: string,
  disk: DiskConfig,
  problem: ChainProblem,
): Problem | undefined {
  const { file, what, hint, error, found } = problem;
  if (file === disk.file) {
    if (error !== undefined) return fileIssue(config, key, file, error);
    // Its change of format is already reported.
    if (found !== undefined && disk.format === undefined) return undefined;
    if (found !== undefined) {
      const message = `${key} is declared format=${disk.format}, but "${file}" is ${found}`;
      return issueAt(config, key, message, formatHint(found));
    }
  }
  if (error === undefined) return issueAt(config, key, `${key}: "${file}" ${what}`, hint);
  if (isNotFound(error.cause)) return issueAt(config, key, `${key} rests on "${file}", which does not exist`);
  return { ...fileIssue(config, key, file, error), message: `${key} rests on "${file}", which cannot be read` };
}

/**
 * A base whose format no header names is opened as what it looks like, which is right for one that leads nowhere. One
 * that leads on to other files may be a raw disk whose guest wrote that.
 */
export function checkGuesses(
  { layers }: ImageChain,
  key: string,
  report: (message: string, hint?: string) => void,
): void {
  for (const layer of layers) {
    if (layer.role !== 'backing' || !layer.isGuessed) continue;
    const above = layers.find(
      ({ depth, role }) => depth === layer.depth - 1 && (role === 'image' || role === 'backing'),
    );
    const leadsOn = layers.some(
      ({ depth, role }) => depth > layer.depth || (depth === layer.depth && role !== 'backing'),
    );
    if (!layer.isRemote && !leadsOn) continue;
    const format = layer.isRemote ? 'FORMAT' : layer.format;
    report(
      `${key}: "${above?.file}" does not record the format of its backing file "${layer.file}"`,
      `if only you wrote to it, record the format: ` +
        shellCommand('qemu-img', 'rebase', '-u', '-F', format, '-b', layer.file, above?.file ?? ''),
    );
  }
}

/** That what the guest writes would be lost. */
export function checkWritable(
  disk: DiskConfig,
  { layers }: ImageChain,
  key: string,
  report: (message: string, hint?: string) => void,
): void {
  if (disk.readonly || disk.snapshot) return;
  const layer = layers.find(({ depth, detail }) => depth === 0 && detail.writeObstacle !== undefined);
  if (layer === undefined) return;
  if (layer.detail.isDamaged) {
    const repair = shellCommand('qemu-img', 'check', '-r', 'all', layer.file);
    report(
      `${key}: "${layer.file}" ${layer.detail.writeObstacle}: QEMU only reads it`,
      `copy it first, then: ${repair}`,
    );
    return;
  }
  const format = layers[0]?.format ?? 'raw';
  const converted = `${disk.file.replace(/\.[^./]*$/, '')}.qcow2`;
  report(
    `${key}: "${layer.file}" ${layer.detail.writeObstacle}: what the guest writes would be lost`,
    `${shellCommand('qemu-img', 'convert', '-f', format, '-O', 'qcow2', disk.file, converted)}, and name that file; ` +
      'or set readonly=on or snapshot=on',
  );
}

/** That an encrypted image has its key, and no other has one. */
export function checkKey(config: MachineConfig, disk: DiskConfig, { layers }: ImageChain, issues: Problem[]): void {
  const key = `DSK${disk.index}`;
  const report = (message: string, hint?: string): void => {
    issues.push(issueAt(config, key, message, hint));
  };
  const aes = layers.find(({ detail }) => detail.encryption === 'aes');
  if (aes !== undefined) {
    report(
      `${key}: "${aes.file}" is encrypted with AES-CBC, which QEMU no longer supports for machines`,
      `${shellCommand('qemu-img', 'convert', '-O', 'qcow2', aes.file, `${aes.file}.new`)}, with --object secret and -o encrypt.format=luks`,
    );
    return;
  }
  const encrypted = layers.find(isEncrypted);
  if (disk.key === undefined) {
    if (encrypted !== undefined)
      report(`${key}: "${encrypted.file}" is encrypted`, 'name the file with its key: key=FILE');
    return;
  }
  if (encrypted === undefined) {
    report(`${key} has key=, but "${disk.file}" is not encrypted`, 'remove key=');
    return;
  }
  try {
    const problem = keyProblem(disk.key);
    const hint = problem === 'can be used by others' ? shellCommand('chmod', '600', disk.key) : undefined;
    if (problem !== undefined) report(`${key} key "${disk.key}" ${problem}`, hint);
  } catch (error) {
    const issue = fileIssue(config, key, disk.key, error);
    issues.push({ ...issue, message: issue.message.replace(key, `${key} key`) });
  }
}

export function isEncrypted({ format, detail }: ImageLayer): boolean {
  return format === 'luks' || detail.encryption === 'luks';
}
