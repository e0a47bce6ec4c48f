import { ConfigError } from '../../base/config-error.ts';
import { QemuError } from '../../base/errors.ts';
import { asRecord, optionalNumber } from '../../base/guards.ts';
import type { DiskConfig } from '../../config/device-config.ts';
import type { MachineConfig } from '../../config/types.ts';
import type { ImageLayer } from '../../system/images/image-chain.ts';
import { runQemuImg } from '../../system/images/qemu-img.ts';
import { findProgram } from '../../system/process/find-program.ts';
import type { MachineContext } from '../context.ts';
import { diskChain } from '../storage/disk-chain.ts';
import { type DiskLayer, type DiskNow, parseSnapshots, parseStoredBitmaps } from './disk-layer.ts';
import { imageUserPrefix } from './image-user.ts';

/** Reading the tables of a large image on a slow disk may take seconds. */
const INFO_MS = 20_000;

/**
 * The disks of a machine that does not run. qemu-img(1) only opens what a start would open, as the machine's user.
 *
 * @param keys which of them, such as `DSK1` (default: all).
 * @throws {ConfigError} when an image is missing, or leads to where it must not.
 * @throws {QemuError} `QEMU_COMMAND_FAILED` when qemu-img cannot read one; `QEMU_TIMEOUT`, `QEMU_ABORTED`.
 */
export async function stoppedDisks(
  host: MachineContext,
  config: MachineConfig,
  signal?: AbortSignal,
  keys?: readonly string[],
): Promise<DiskNow[]> {
  const found: DiskNow[] = [];
  for (const disk of config.disks) {
    if (keys === undefined || keys.includes(`DSK${disk.index}`))
      found.push(await stoppedDisk(host, config, disk, signal));
  }
  return found;
}

async function stoppedDisk(
  host: MachineContext,
  config: MachineConfig,
  disk: DiskConfig,
  signal: AbortSignal | undefined,
): Promise<DiskNow> {
  const key = `DSK${disk.index}`;
  const chain = diskChain(host.paths, config.longName, disk);
  if (chain.problems.length > 0) {
    const issues = chain.problems.map(({ file, what, hint, error }) => {
      return { severity: 'error' as const, key, message: error?.message ?? `${key}: "${file}" ${what}`, hint };
    });
    throw new ConfigError(`Cannot use ${key} of machine "${config.longName}"`, issues);
  }
  const images = chain.layers.filter(({ role }) => role === 'image' || role === 'backing');
  const layers: DiskLayer[] = [];
  for (const image of images) layers.push(await describeLayer(config, image, signal));
  const [top] = layers;
  if (top === undefined) throw new QemuError('QEMU_IO', `Cannot read image "${disk.file}"`);
  return {
    key,
    node: undefined,
    layers: [top, ...layers.slice(1)],
    virtualSizeBytes: top.virtualSizeBytes,
    ioStatus: undefined,
    readonly: disk.readonly,
  };
}

/** Of what cannot be asked about without a key, or is not a file of this host, the header tells what it can. */
async function describeLayer(
  config: MachineConfig,
  layer: ImageLayer,
  signal: AbortSignal | undefined,
): Promise<DiskLayer> {
  const { file, format, detail, stats } = layer;
  const isAsked =
    !layer.isRemote && format !== 'luks' && detail.encryption === undefined && findProgram('qemu-img') !== undefined;
  const info = isAsked ? await imageInfo(config, layer, signal) : {};
  const data = asRecord(asRecord(info['format-specific'])['data']);
  const size = optionalNumber(info['virtual-size']) ?? detail.virtualSizeBytes ?? stats?.size ?? 0;
  return {
    node: undefined,
    fileNode: undefined,
    file,
    format,
    virtualSizeBytes: size,
    actualSizeBytes: stats === undefined || stats.isBlockDevice() ? undefined : stats.blocks * STAT_BLOCK_BYTES,
    bitmaps: parseStoredBitmaps(data['bitmaps']),
    snapshots: parseSnapshots(info['snapshots']),
    corrupt: detail.isDamaged === true,
  };
}

/** stat(2), st_blocks. */
const STAT_BLOCK_BYTES = 512;

async function imageInfo(
  config: MachineConfig,
  { file, format, stats }: ImageLayer,
  signal: AbortSignal | undefined,
): Promise<Readonly<Record<string, unknown>>> {
  const prefix = await imageUserPrefix(config, stats?.uid);
  // Another program may have it open: this only looks.
  const call = ['info', '-U', '--output=json', '-f', format, '--', file];
  const { exitCode, stdout, stderr } = await runQemuImg(call, { prefix, timeoutMs: INFO_MS, signal });
  if (exitCode === 0) return asRecord(JSON.parse(stdout));
  const [reason = ''] = stderr.trim().split('\n');
  throw new QemuError('QEMU_COMMAND_FAILED', `Cannot read image "${file}": ${reason}`);
}
