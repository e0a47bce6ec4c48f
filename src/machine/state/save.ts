import { QemuError } from '../../base/errors.ts';
import { asArray, asRecord, asText } from '../../base/guards.ts';
import type { LongWorkOptions } from '../../base/progress.ts';
import type { MachineConfig } from '../../config/types.ts';
import type { QmpClient } from '../../qmp/client.ts';
import type { ExecuteOptions } from '../../qmp/command.ts';
import type { Checksum } from '../../system/files/checksum.ts';
import { ensureDir } from '../../system/files/files.ts';
import { SocketToFile } from '../../system/files/socket-to-file.ts';
import { bootId } from '../../system/process/process.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { withControl } from '../control/control-port.ts';
import { requireAsStarted } from '../plug/as-started.ts';
import { otherHardware } from '../plug/other-hardware.ts';
import { type LaunchRecord, readLaunchRecord } from '../run/launch-record.ts';
import { launchedConfig } from '../run/launched-config.ts';
import type { Located } from '../run/locate.ts';
import { doWork } from '../work/do-work.ts';
import { checkRoom, checkSavable, stateBytes } from './blockers.ts';
import { endSaved } from './end-saved.ts';
import { SAVE_KIND, type SaveData } from './save-work.ts';
import { fileHashes, hostCpuOf, savedImages } from './saved-facts.ts';
import { makePart, moveSaved, savedFiles, saveSocket } from './saved-folder.ts';
import { type SavedRecord, writeSavedRecord } from './saved-record.ts';
import { sendState } from './send-state.ts';

type Alive = Extract<Located, { kind: 'alive' }>;

/** What is asked of QEMU before its guest is saved. */
interface Asked {
  readonly wasRunning: boolean;
  readonly version: string;
  readonly machineType: string | undefined;
  /** Path of the image of each drive, by the drive's id. */
  readonly files: ReadonlyMap<string, string>;
}

const ANSWER_MS = 10_000;
const NEVER = new AbortController().signal;

/**
 * Saves the state of a running guest and ends its QEMU. Under the machine's lock; the run is not cleaned up after.
 *
 * @param before done when nothing is in the way of the save, and the guest still runs.
 * @returns how many bytes it takes.
 * @throws {QemuError} `QEMU_MACHINE_STATE` when it cannot be saved, `QEMU_IO` when there is no room, `QEMU_ABORTED`,
 * `QEMU_COMMAND_FAILED`, `QEMU_LOCKED` during other work on its disks: then the guest goes on as before.
 */
export async function saveRunning(
  host: MachineContext,
  target: MachineRef,
  located: Alive,
  options: LongWorkOptions = {},
  before: () => Promise<void> = async () => {},
): Promise<number> {
  const { signal = NEVER } = options;
  const { files } = target;
  const launched = launchedAs(target, located);
  const limits = { timeoutMs: ANSWER_MS, signal };
  const plugged = otherHardware(target, located.process);
  const asked = await withControl(host, target, limits, async (client) => ({
    ...(await checkSavable(target, { ...launched.config, plugged }, client, limits)),
    ...(await askMachine(client, limits)),
  }));
  ensureDir(files.stateDir, 0o700);
  checkRoom(files.stateDir, stateBytes(located.process.pid, launched.config.memoryBytes));
  await before();
  const data: SaveData = { wasRunning: asked.wasRunning };
  const plan = { kind: SAVE_KIND, what: 'saving its state', data: { ...data } };
  const work = async (): Promise<number> => {
    await requireAsStarted(target, signal);
    makePart(files);
    const mostBytes = MOST_PASSES * launched.config.memoryBytes + MOST_OTHER_BYTES;
    const received = await receive(host, target, located, { ...options, signal, mostBytes });
    const record = (): SavedRecord => recordOf(host, target, { launched, asked, received, slot: located.record?.slot });
    const saved = record();
    writeSavedRecord(files, 'part', saved);
    // From here on it is saved: the guest must not run on, whatever happens.
    moveSaved(files, 'part', 'saved');
    await withControl(host, target, { timeoutMs: ANSWER_MS }, (client) => endSaved(target, located.process, client));
    // QEMU has let go of its images before; should it have written to one at its very end, that is part of the state.
    const now = record();
    if (JSON.stringify(now.images) !== JSON.stringify(saved.images)) writeSavedRecord(files, 'saved', now);
    return received.sizeBytes;
  };
  return doWork(host, target, plan, work, signal);
}

/** The memory is sent twice while the guest runs, perhaps begun once more, and what is left when it stands still. */
const MOST_PASSES = 4;
/** Memory of graphics cards, firmware, and states of devices. */
const MOST_OTHER_BYTES = 2 * 1024 ** 3;

interface Launched {
  readonly record: LaunchRecord;
  readonly config: MachineConfig;
}

/** What QEMU was started with. Without it nothing could tell whether the state fits later. */
function launchedAs(target: MachineRef, { record: run }: Alive): Launched {
  const record = readLaunchRecord(target.files);
  const path = run?.configPath ?? target.configPath;
  const config = launchedConfig(record, path);
  if (record !== undefined && config !== undefined) return { record, config: { ...config, longName: target.longName } };
  throw new QemuError(
    'QEMU_MACHINE_STATE',
    `Cannot save machine "${target.longName}": the record of its start is lost`,
    {
      hint: `shut its guest down instead: qemu-init stop ${target.longName}`,
    },
  );
}

async function askMachine(client: QmpClient, options: ExecuteOptions): Promise<Omit<Asked, 'wasRunning'>> {
  const { major, minor, micro } = asRecord(
    asRecord(await client.executeRaw('query-version', undefined, options))['qemu'],
  );
  const type = asText(await client.executeRaw('qom-get', { path: '/machine', property: 'type' }, options));
  const drives = asArray(await client.executeRaw('query-block', undefined, options)).map(asRecord);
  return {
    version: [major, minor, micro].join('.'),
    machineType: /^(.+)-machine$/.exec(type)?.[1],
    files: new Map(
      drives.flatMap(({ device, inserted }): [string, string][] => {
        const file = asText(asRecord(inserted)['file']);
        // QEMU has a description in JSON for what has no plain name.
        return file.startsWith('/') ? [[asText(device), file]] : [];
      }),
    ),
  };
}

async function receive(
  host: MachineContext,
  target: MachineRef,
  { process: { pid }, record }: Alive,
  options: LongWorkOptions & { readonly signal: AbortSignal; readonly mostBytes: number },
): Promise<Checksum> {
  const socket = saveSocket(target.files);
  const isOther = record?.uid !== undefined && record.gid !== undefined && record.uid !== process.geteuid?.();
  const receiver = await SocketToFile.listen({
    socket,
    sender: isOther ? { uid: record.uid, gid: record.gid } : undefined,
    file: savedFiles(target.files, 'part').state,
  });
  const { signal, onProgress, mostBytes } = options;
  try {
    host.notify({ level: 'debug', machine: target.longName, message: `QEMU (process ${pid}) sends its state` });
    return await withControl(host, target, { timeoutMs: ANSWER_MS, signal }, (client) =>
      sendState(client, { socket, receiver, mostBytes, onProgress, signal }),
    );
  } finally {
    await receiver.close();
  }
}

function recordOf(
  host: MachineContext,
  target: MachineRef,
  facts: {
    readonly launched: Launched;
    readonly asked: Asked;
    readonly received: Checksum;
    readonly slot: number | undefined;
  },
): SavedRecord {
  const { launched, asked, received, slot } = facts;
  const { binary, args, config } = launched.record;
  return {
    savedAt: new Date().toISOString(),
    wasRunning: asked.wasRunning,
    ...received,
    qemu: { version: asked.version, binary },
    args,
    config,
    machineType: asked.machineType,
    hostCpu: hostCpuOf(args),
    images: savedImages(host.paths, withFiles(launched.config, asked.files)),
    hashes: fileHashes(launched.config, target.files),
    slot,
    bootId: bootId(),
  };
}

/** With the images that QEMU has now: disks move, and discs are changed, while a machine runs. */
function withFiles(config: MachineConfig, files: ReadonlyMap<string, string>): MachineConfig {
  return {
    ...config,
    disks: config.disks.map((disk) => ({ ...disk, file: files.get(`dsk${disk.index}`) ?? disk.file })),
    cdroms: config.cdroms.map((cdrom) => ({ ...cdrom, file: files.get(`cdr${cdrom.index}`) ?? cdrom.file })),
  };
}
