import { MachineStateError } from '../../base/errors.ts';
import type { LongWorkOptions } from '../../base/progress.ts';
import { shellCommand } from '../../config/text/shell-words.ts';
import type { MachineConfig } from '../../config/types.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { locate } from '../run/locate.ts';
import { exclusively } from '../run/run-lock.ts';
import { refuseSaved } from '../state/saved-folder.ts';
import { refuseDuringWork } from '../work/do-work.ts';
import { type CheckedImage, checkLayer } from './check-layer.ts';
import { chosenDisk } from './chosen-disk.ts';
import { runningDisks } from './disk-access.ts';
import { diskNodes } from './disk-nodes.ts';
import { stoppedDisks } from './stopped-disks.ts';

/** What to check. */
export interface CheckOptions extends Pick<LongWorkOptions, 'signal'> {
  /** Key of the only disk to check (default: all). */
  readonly key?: string | undefined;
  /** Repairs what costs no data, or all. */
  readonly repair?: 'leaks' | 'all' | undefined;
}

/**
 * Checks the images of a machine that does not run: with qemu-img(1), as the machine's user.
 *
 * @throws {MachineStateError} `QEMU_MACHINE_STATE` when it runs, with what its QEMU knows.
 * @throws {ConfigError} when an image is missing, or leads to where it must not.
 * @throws {QemuError} `QEMU_DEVICE_UNKNOWN`, `QEMU_LOCKED` while other work on its disks goes on, `QEMU_COMMAND_FAILED`
 * when an image cannot be checked, `QEMU_ABORTED`.
 */
export async function checkImages(
  host: MachineContext,
  target: MachineRef,
  config: MachineConfig,
  options: CheckOptions = {},
): Promise<CheckedImage[]> {
  const { signal, key } = options;
  await refuseDuringWork(host, target, signal);
  const chosen = key === undefined ? undefined : [`DSK${chosenDisk(config, key).index}`];
  return exclusively(host, target, { purpose: 'disk', signal }, async () => {
    if (locate(target.files).kind === 'alive') throw await runs(host, target);
    if (options.repair !== undefined) refuseSaved(target.files, target.longName, 'repair its images');
    const images: CheckedImage[] = [];
    for (const disk of await stoppedDisks(host, config, signal, chosen)) {
      for (const [depth, layer] of disk.layers.entries()) {
        // What a disk rests on may be in use by others: it is only looked at.
        const repair = depth === 0 ? options.repair : undefined;
        images.push(await checkLayer(config, disk, layer, repair, signal));
      }
    }
    return images;
  });
}

async function runs(host: MachineContext, target: MachineRef): Promise<MachineStateError> {
  const disks = await runningDisks(host, target).use((domain) => diskNodes(domain));
  const bad = disks.filter(({ layers, ioStatus }) => layers.some(({ corrupt }) => corrupt) || ioStatus === 'failed');
  const known =
    bad.length === 0
      ? 'its QEMU knows of no damage'
      : `QEMU has found errors in ${bad.map((disk) => disk.key).join(', ')}`;
  const message = `Machine "${target.longName}" runs, and its images change: they can only be checked when it is stopped; ${known}`;
  return new MachineStateError('QEMU_MACHINE_STATE', message, 'running', {
    hint: shellCommand('qemu-init', 'stop', target.longName),
  });
}
