import { basename, dirname, extname, join, resolve } from 'node:path';
import { QemuError } from '../../base/errors.ts';
import { asArray, asRecord, asText } from '../../base/guards.ts';
import type { LongWorkOptions } from '../../base/progress.ts';
import type { DiskConfig } from '../../config/device-config.ts';
import { setKey } from '../../config/text/edit-text.ts';
import type { MachineConfig } from '../../config/types.ts';
import type { Domain } from '../../domain/domain.ts';
import { newJobId } from '../../domain/job-id.ts';
import { isThere } from '../../system/files/files.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { editConfig, requireEditable } from '../edit-config.ts';
import { locate } from '../run/locate.ts';
import { exclusively } from '../run/run-lock.ts';
import { resolveRunAs } from '../start/run-as.ts';
import { refuseSaved } from '../state/saved-folder.ts';
import { withStorageDaemon } from '../storage-daemon/storage-daemon.ts';
import { doWork, refuseDuringWork, type Work, type WorkPlan } from '../work/do-work.ts';
import { movableDisk, requireSame } from './chosen-disk.ts';
import { explainOpen } from './copy-error.ts';
import { copyOptions, freeNodes, openCopy } from './copy-nodes.ts';
import { type DiskAccess, daemonDisks, runningDisks } from './disk-access.ts';
import type { DiskNow } from './disk-layer.ts';
import { lineOfDisk } from './disk-line.ts';
import { diskNode } from './disk-nodes.ts';
import type { MoveResult } from './move-result.ts';
import { dropNodes } from './pivot/drop-nodes.ts';
import { finishPivot } from './pivot/finish-pivot.ts';
import { completeJob } from './pivot/pivot.ts';
import { nodesOf, type Pivot } from './pivot/pivot-plan.ts';
import { stoppedDisks } from './stopped-disks.ts';
import { giveName, makeTargetFile, syncFile } from './target-file.ts';
import { watchJob } from './watch-job.ts';

/** How to copy a disk. */
export interface MirrorOptions extends LongWorkOptions {
  /**
   * Format of the new image (default: what the ending of its name says, `.qcow2` or `.raw`; else that of the old one, if
   * QEMU can write it, else qcow2).
   */
  readonly format?: 'qcow2' | 'raw' | undefined;
  /** Most bytes a second (default: no limit). */
  readonly rate?: number | undefined;
}

/** With a target that is not flushed as it goes, the copy is faster than `qemu-img convert` already. */
const BUFFER_BYTES = 16 * 1024 * 1024;

/**
 * Copies a disk into a new file and lets it go on there: the machine's file then names the new image, and the old one
 * stays. A machine that runs goes on meanwhile; of one that does not run the copy gets its name when it is whole.
 *
 * @throws {ConfigError} when the image of a stopped machine cannot be used.
 * @throws {JobError} `QEMU_COMMAND_FAILED` when the copy fails, as without room; nothing is left of it.
 * @throws {QemuError} `QEMU_USAGE` for a file that exists or a disk that cannot be moved, `QEMU_DEVICE_UNKNOWN`,
 * `QEMU_LOCKED` while other work on the machine's disks goes on, `QEMU_NOT_PERMITTED`, `QEMU_ABORTED`.
 */
export async function mirrorDisk(
  host: MachineContext,
  target: MachineRef,
  config: MachineConfig,
  { key, file }: { readonly key: string; readonly file: string },
  options: MirrorOptions = {},
): Promise<MoveResult> {
  const began = performance.now();
  // First: the file may be what an interrupted command left.
  await refuseDuringWork(host, target, options.signal);
  requireEditable(target);
  const disk = movableDisk(target, config, key);
  const path = resolve(file);
  if (isThere(path)) {
    throw new QemuError('QEMU_USAGE', `File "${path}" exists already`, {
      hint: 'choose a new name: nothing is replaced',
    });
  }
  const job: CopyJob = { host, target, config, disk, file: path, options };
  const format = await mirror(job);
  const seconds = Math.round(performance.now() - began) / 1000;
  return { key: keyOf(disk), from: disk.file, to: path, format, removed: [], seconds };
}

/** What is to be copied where. */
interface CopyJob {
  readonly host: MachineContext;
  readonly target: MachineRef;
  readonly config: MachineConfig;
  readonly disk: DiskConfig;
  readonly file: string;
  readonly options: MirrorOptions;
}

function keyOf({ index }: DiskConfig): string {
  return `DSK${index}`;
}

/** Returns the format of the copy. */
async function mirror(job: CopyJob): Promise<string> {
  const { host, target, options } = job;
  if (locate(target.files).kind === 'alive') return mirrorRunning(job);
  return exclusively(host, target, { purpose: 'disk', signal: options.signal }, () =>
    locate(target.files).kind === 'alive' ? mirrorRunning(job) : mirrorStopped(job),
  );
}

async function mirrorRunning(job: CopyJob): Promise<string> {
  const { host, target, config, disk, file, options } = job;
  const access = runningDisks(host, target);
  const now = await access.use((domain) => diskNode(domain, keyOf(disk)));
  requireSame(target, disk, now);
  const pivot = pivotTo(job, now, await access.use(nodeNames));
  const plan = { ...planOf(job, pivot), jobs: [pivot.jobId], partFiles: [{ path: file }] };
  await doWork(
    host,
    target,
    plan,
    async (work) => {
      await startCopy(job, access, work, { pivot, now, path: file });
      await finishPivot(host, target, config, access, work, options);
    },
    options.signal,
  );
  return pivot.format;
}

/** The copy has a name of its own until it is whole. */
async function mirrorStopped(job: CopyJob): Promise<string> {
  const { host, target, config, disk, file, options } = job;
  const { signal } = options;
  refuseSaved(target.files, target.longName, `move ${keyOf(disk)}`);
  const [now] = await stoppedDisks(host, config, signal, [keyOf(disk)]);
  if (now === undefined) throw new QemuError('QEMU_DEVICE_UNKNOWN', `There is no ${keyOf(disk)}`);
  const part = join(dirname(file), `.${basename(file)}.part`);
  const pivot = pivotTo(job, now, new Set([`dsk${disk.index}-fmt`, `dsk${disk.index}-file`]));
  const plan = { ...planOf(job, pivot), partFiles: [{ path: part }, { path: file }] };
  await doWork(
    host,
    target,
    plan,
    async (work) => {
      await withStorageDaemon(host, target, config, { signal, disks: [disk.index] }, async ({ domain }) => {
        const access = daemonDisks(domain);
        const node = await diskNode(domain, pivot.key);
        await startCopy(job, access, work, { pivot, now: node, path: part });
        await watchJob(access, { jobId: pivot.jobId, phase: copying(pivot.key), until: ['ready'], ...options });
        await completeJob(domain, pivot.jobId, () => {});
        await dropNodes(domain, pivot.newNodes, {});
      });
      await syncFile(part);
      await giveName(part, file);
      await editConfig(host, target, {
        purpose: 'disk',
        change: (text) => setKey(text, pivot.key, work.record.cfgEdits[0]?.to ?? ''),
      });
    },
    signal,
  );
  return pivot.format;
}

/** Names of all nodes. */
async function nodeNames(domain: Domain): Promise<ReadonlySet<string>> {
  const nodes = asArray(await domain.run('query-named-block-nodes', { flat: true }));
  return new Set(nodes.map((node) => asText(asRecord(node)['node-name'])));
}

function pivotTo({ disk, file, options }: CopyJob, now: DiskNow, taken: ReadonlySet<string>): Pivot {
  const [top] = now.layers;
  const key = keyOf(disk);
  const nodes = freeNodes(key, taken);
  return {
    key,
    jobId: newJobId('mirror', key.toLowerCase()),
    file,
    format: options.format ?? formatOfName(file) ?? (top.format === 'raw' ? 'raw' : 'qcow2'),
    newNodes: [nodes.format, nodes.file],
    oldNodes: now.layers.flatMap(({ node, fileNode }) => [node ?? [], fileNode ?? []].flat()),
    oldFiles: [],
    isGivenUp: false,
  };
}

/** Who names an image so expects it to be that; `.img` can be anything. */
function formatOfName(file: string): 'qcow2' | 'raw' | undefined {
  const ending = extname(file).toLowerCase();
  return ending === '.qcow2' ? 'qcow2' : ending === '.raw' ? 'raw' : undefined;
}

function planOf({ target, disk, file }: CopyJob, pivot: Pivot): WorkPlan {
  const { from, to } = lineOfDisk(target, pivot, disk);
  return {
    kind: 'pivot',
    what: `${copying(pivot.key)} to "${file}"`,
    cfgEdits: [{ key: pivot.key, from, to }],
    data: { ...pivot },
  };
}

/** Makes the new image and starts the job that fills it. */
async function startCopy(
  { host, target, disk, config, options }: CopyJob,
  access: DiskAccess,
  work: Work,
  { pivot, now, path }: { readonly pivot: Pivot; readonly now: DiskNow; readonly path: string },
): Promise<void> {
  const { key, format, jobId } = pivot;
  const sizeBytes = now.virtualSizeBytes;
  const kept = now.layers[0].snapshots.length;
  if (kept > 0) {
    const message = `the snapshots in "${now.layers[0].file}" (${kept}) are not copied: they stay in that image`;
    host.notify({ level: 'info', machine: target.longName, message });
  }
  const part = makeTargetFile(path, await resolveRunAs(config), format === 'raw' ? sizeBytes : 0);
  work.note({ partFiles: work.record.partFiles.map((each) => ({ ...each, id: part.id })) });
  await access.use(async (domain) => {
    try {
      await openCopy(domain, copyOptions(disk, { file: path, format }, nodesOf(pivot)), {
        key,
        sizeBytes,
        isRaw: now.layers.some((layer) => layer.format === 'raw'),
      });
    } catch (error) {
      throw explainOpen(error, path);
    }
    await domain.run('blockdev-mirror', {
      'job-id': jobId,
      device: now.node,
      target: nodesOf(pivot).format,
      sync: 'full',
      'buf-size': BUFFER_BYTES,
      // QEMU (7.2 and 10) crashes when a job in the mode `write-blocking` is cancelled while the guest writes.
      'copy-mode': 'background',
      ...(options.rate !== undefined && { speed: options.rate }),
      'auto-finalize': false,
      'auto-dismiss': false,
    });
  });
}

function copying(key: string): string {
  return `copying ${key}`;
}
