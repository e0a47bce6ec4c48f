import { basename, isAbsolute, join } from 'node:path';
import { QemuError } from '../../base/errors.ts';
import { asArray, asNumber, asText, isRecord } from '../../base/guards.ts';
import { Domain } from '../../domain/domain.ts';
import { endJob, type Job, listJobs } from '../../domain/job.ts';
import { isThere } from '../../system/files/files.ts';
import { removeTree } from '../../system/files/remove-tree.ts';
import { bootId, isSameProcess, sendSignal, waitForExit } from '../../system/process/process.ts';
import { unmount } from '../copy/bind-mount.ts';
import { targetFileNode, targetNode } from '../copy/transaction.ts';
import type { Leftover, Settled, WorkKind } from '../work/work-kind.ts';
import { MANIFEST_NAME } from './manifest.ts';
import { leaveFolder, partFolder } from './part-folder.ts';
import { isPointName } from './point-name.ts';

/** What has to be known of a backup to undo it. */
export interface BackupData {
  /** Folder of the machine's points. */
  readonly folder: string;
  readonly point: string;
  /** Ids of its targets: `dsk1`. */
  readonly targets: readonly string[];
  /** Bitmaps that begin with the point, and the nodes that they are in. */
  readonly bitmaps: readonly { readonly node: string; readonly name: string }[];
  /** Where QEMU reaches the files, if not in their folder. */
  readonly mount?: string | undefined;
  /** Process of the storage daemon of a stopped machine. */
  readonly daemon?: { readonly pid: number; readonly startTime: string } | undefined;
}

const DAEMON_END_MS = 10_000;

/** A backup whose command was killed, or gave up: what it made is removed, and the disks count on as before. */
export const BACKUP_WORK: WorkKind = {
  settle: async (leftover) => {
    const settled = await settleBackup(leftover);
    // A command that gives up itself still holds it.
    if (settled.outcome !== 'running' && leftover.record.tool.pid !== process.pid) {
      const folder = asText(leftover.record.data['folder']);
      if (isAbsolute(folder)) await leaveFolder(folder);
    }
    return settled;
  },
};

async function settleBackup({ target, record, client, cancel, timeoutMs }: Leftover): Promise<Settled> {
  const data = readData(record.data);
  if (!data) return { outcome: 'undone' };
  const isWhole = isThere(join(data.folder, data.point, MANIFEST_NAME));
  if (client) {
    const domain = new Domain(client, target.longName);
    const jobs = (await listJobs(domain, { timeoutMs })).filter(({ id }) => record.jobs.includes(id));
    if (!cancel && jobs.some(({ isOver }) => !isOver)) return { outcome: 'running', detail: progressOf(jobs) };
    await leaveQemu(domain, record.jobs, isWhole ? { ...data, bitmaps: [] } : data);
  } else if (data.daemon && record.tool.bootId === bootId()) await endDaemon(data.daemon);
  if (data.mount !== undefined) await unmount(data.mount);
  removeTree(partFolder(data.folder, data.point));
  return isWhole ? { outcome: 'finished' } : { outcome: 'undone', detail: `the next backup has what it missed` };
}

/** Ends the jobs and closes the files. The bitmaps that began with the point go, unless there are none left out. */
export async function leaveQemu(
  domain: Domain,
  jobs: readonly string[],
  { targets, bitmaps }: Pick<BackupData, 'targets' | 'bitmaps'>,
): Promise<void> {
  const present = await listJobs(domain);
  for (const { id } of present.filter((job) => jobs.includes(job.id))) await endJob(domain, id);
  for (const id of targets) {
    await ifThere(domain.run('blockdev-del', { 'node-name': targetNode({ id }) }));
    await ifThere(domain.run('blockdev-del', { 'node-name': targetFileNode({ id }) }));
  }
  for (const { node, name } of bitmaps) await ifThere(domain.run('block-dirty-bitmap-remove', { node, name }));
}

async function ifThere(command: Promise<unknown>): Promise<void> {
  try {
    await command;
  } catch (error) {
    if (!(error instanceof QemuError) || error.code !== 'QEMU_QMP_REFUSED') throw error;
  }
}

/** It ends by itself when its command was killed, but closing images takes a moment. */
async function endDaemon({ pid, startTime }: NonNullable<BackupData['daemon']>): Promise<void> {
  if (!isSameProcess(pid, startTime)) return;
  sendSignal(pid, startTime, 'SIGTERM');
  if (await waitForExit(pid, startTime, DAEMON_END_MS)) return;
  sendSignal(pid, startTime, 'SIGKILL');
  await waitForExit(pid, startTime, DAEMON_END_MS);
}

function progressOf(jobs: readonly Job[]): string {
  const total = jobs.reduce((sum, job) => sum + job.total, 0);
  const done = jobs.reduce((sum, job) => sum + Math.min(job.done, job.total), 0);
  return total === 0 ? 'just begun' : `${Math.floor((100 * done) / total)} %`;
}

/** As it was noted; undefined when nothing had been done yet. */
export function readData(data: Readonly<Record<string, unknown>>): BackupData | undefined {
  const { folder, point, targets, bitmaps, mount, daemon } = data;
  if (typeof folder !== 'string' || typeof point !== 'string' || !isPointName(point)) return undefined;
  if (basename(folder) === '') return undefined;
  return {
    folder,
    point,
    targets: asArray(targets).map(asText),
    bitmaps: readBitmaps(bitmaps),
    mount: typeof mount === 'string' ? mount : undefined,
    daemon: isRecord(daemon) ? { pid: asNumber(daemon['pid']), startTime: asText(daemon['startTime']) } : undefined,
  };
}

/** The same of a list of bitmaps. */
export function readBitmaps(value: unknown): BackupData['bitmaps'] {
  return asArray(value).flatMap((each) =>
    isRecord(each) ? [{ node: asText(each['node']), name: asText(each['name']) }] : [],
  );
}
