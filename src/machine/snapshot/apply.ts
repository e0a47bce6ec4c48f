import { QemuError } from '../../base/errors.ts';
import type { BeginPhase } from '../../base/phases.ts';
import { quoteComma } from '../../base/text.ts';
import type { MachineConfig } from '../../config/types.ts';
import { runQemuImg } from '../../system/images/qemu-img.ts';
import { giveSecrets, letPass } from '../../system/secrets.ts';
import { keyCopy, secretOf } from '../argv/disks.ts';
import type { MachineRef } from '../context.ts';
import { prefixOf, type RunAs, resolveRunAs } from '../start/run-as.ts';
import { removeKeys, writeKeys } from '../storage/image-keys.ts';
import type { SnapshotDisk } from './snapshot-disks.ts';

/** It writes tables, and no data. */
const APPLY_MS = 600_000;

/**
 * Makes images of a machine that does not run what they were at a snapshot, as the machine's user.
 *
 * @throws {QemuError} `QEMU_COMMAND_FAILED` for the first that cannot be; those before it are.
 */
export async function applySnapshot(
  target: MachineRef,
  config: MachineConfig,
  disks: readonly SnapshotDisk[],
  name: string,
  phase: BeginPhase = () => {},
): Promise<void> {
  const user = await resolveRunAs(config);
  const hasKeys = disks.some(({ encrypted }) => encrypted);
  try {
    if (hasKeys) giveKeys(target, config, user);
    for (const disk of disks) {
      phase(`reverting ${disk.key}`);
      const args = ['snapshot', ...(disk.encrypted ? keyOption(target, disk) : []), '-a', name, image(disk)];
      const { exitCode, stderr } = await runQemuImg(args, { prefix: prefixOf(config, user), timeoutMs: APPLY_MS });
      if (exitCode === 0) continue;
      throw new QemuError('QEMU_COMMAND_FAILED', `Cannot revert ${disk.key} "${disk.file}": ${stderr.trim()}`);
    }
  } finally {
    if (hasKeys) removeKeys(target.files);
  }
}

function giveKeys({ files }: MachineRef, config: MachineConfig, user: RunAs | undefined): void {
  writeKeys(config, files);
  if (!user) return;
  letPass(files.dir, user.gid);
  giveSecrets(files.keysDir, user);
}

function keyOption({ files }: MachineRef, { key }: SnapshotDisk): string[] {
  const index = Number(key.slice('DSK'.length));
  return ['--object', `secret,id=${secretOf({ index })},file=${quoteComma(keyCopy(files.keysDir, { index }))}`];
}

/**
 * The very format and file. What it rests on is left out: tables are all that changes, and a header may name anything.
 * Only this form of a name can say so (block.c, bdrv_open_backing_file: "backing" of null).
 */
function image({ key, file, format, encrypted }: SnapshotDisk): string {
  const place = { driver: file.startsWith('/dev/') ? 'host_device' : 'file', filename: file };
  const encrypt = { format: 'luks', 'key-secret': secretOf({ index: Number(key.slice('DSK'.length)) }) };
  return `json:${JSON.stringify({ driver: format, file: place, backing: null, ...(encrypted && { encrypt }) })}`;
}
