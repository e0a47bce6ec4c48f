import { asRecord } from '../../base/guards.ts';
import type { DiskConfig } from '../../config/device-config.ts';
import type { Domain } from '../../domain/domain.ts';
import { newJobId } from '../../domain/job-id.ts';
import { diskNodeParts } from '../argv/disks.ts';
import { renderCalls } from '../argv/render/qmp.ts';
import { watchJob } from './watch-job.ts';

/** The two nodes of a new image of a disk. */
export interface CopyNodes {
  readonly format: string;
  readonly file: string;
}

type Arguments = Readonly<Record<string, unknown>>;

/** Options of the two nodes as a start would give them to the disk, under these names. */
export interface CopyOptions {
  readonly file: Arguments;
  readonly format: Arguments;
}

/**
 * Names for the nodes of a new image that no other node has: those of the disk itself when it left them, else with a
 * number. QEMU takes at most 31 characters.
 */
export function freeNodes(key: string, taken: ReadonlySet<string>): CopyNodes {
  const disk = key.toLowerCase();
  for (let number = 1; ; number++) {
    const suffix = number === 1 ? '' : `-${number}`;
    const names = { format: `${disk}-fmt${suffix}`, file: `${disk}-file${suffix}` };
    if (!taken.has(names.format) && !taken.has(names.file)) return names;
  }
}

/** The nodes of a disk as a start would make them, but with other names. Pure. */
export function copyOptions(
  disk: DiskConfig,
  { file, format }: { file: string; format: string },
  nodes: CopyNodes,
): CopyOptions {
  const parts = diskNodeParts([{ ...disk, file, format, key: undefined }], [{ file, format }], '/');
  const [call] = renderCalls(parts);
  const whole = asRecord(call?.arguments);
  return {
    file: { ...asRecord(whole['file']), 'node-name': nodes.file },
    format: { ...whole, 'node-name': nodes.format, file: nodes.file },
  };
}

/**
 * Makes an empty image in a file that is there, and opens it. It is written to without a flush, which makes a copy three
 * times as fast: {@link keepSynced} ends that.
 */
export async function openCopy(
  domain: Domain,
  { file, format }: CopyOptions,
  { key, sizeBytes, isRaw }: { readonly key: string; readonly sizeBytes: number; readonly isRaw: boolean },
): Promise<void> {
  await domain.run('blockdev-add', fast(file));
  const driver = format['driver'];
  if (driver !== 'raw') {
    const jobId = newJobId('create', key.toLowerCase());
    const options = { driver, file: file['node-name'], size: sizeBytes };
    await domain.run('blockdev-create', { 'job-id': jobId, options });
    const access = { isRunning: true, use: <T>(work: (domain: Domain) => Promise<T>) => work(domain) };
    const job = await watchJob(access, { jobId, phase: 'creating', until: ['concluded'] });
    await job.dismiss();
  }
  // A raw disk does not know which of its blocks hold nothing but zeros.
  await domain.run('blockdev-add', { ...fast(format), ...(isRaw && { 'detect-zeroes': 'unmap' }) });
}

/** Zeros that are not stored make the copy as small as its contents. */
function fast(node: Arguments): Arguments {
  return { ...node, discard: 'unmap', cache: { ...asRecord(node['cache']), 'no-flush': true } };
}

/** From now on each flush of the guest reaches the disk; nodes are as a start would make them. */
export async function keepSynced(domain: Domain, { file, format }: CopyOptions): Promise<void> {
  await domain.run('blockdev-reopen', { options: [file, format] });
}
