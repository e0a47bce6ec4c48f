import { basename, dirname } from 'node:path';
import { QemuError } from '../../base/errors.ts';
import { asArray, asText, isRecord, optionalNumber } from '../../base/guards.ts';
import { visitOf } from '../copy/access.ts';
import { locate } from '../run/locate.ts';
import type { Resumption } from '../work/resumption.ts';
import { readBitmaps, readData } from './backup-work.ts';
import { type Copying, finishBackup } from './finish-backup.ts';
import { keepNewest, withBackups } from './merge.ts';
import { parseManifest } from './read-manifest.ts';

/**
 * Goes on with a backup whose copies go on inside QEMU, to its end.
 *
 * @throws {QemuError} `QEMU_USAGE` when it was interrupted before they had begun; as {@link finishBackup}.
 */
export async function resumeBackup({ host, target, work, options }: Resumption): Promise<void> {
  const data = readData(work.record.data);
  const copying = data && readCopying(work.record.data['copying'], target.files.work);
  if (!data || !copying || locate(target.files).kind !== 'alive') {
    throw new QemuError('QEMU_USAGE', 'The backup cannot go on: it was interrupted before all copies had begun', {
      hint: 'make a new one',
    });
  }
  const { folder } = data;
  const [dest, longName] = [dirname(folder), basename(folder)];
  const { signal } = options;
  await withBackups(dest, longName, { purpose: 'backup', signal }, async () => {
    await finishBackup({ host, target, visit: visitOf(host, target), isRunning: true, data }, copying, options);
    if (copying.keep !== undefined) await keepNewest(dest, longName, copying.keep, options);
  });
}

/** As it was noted. */
function readCopying(value: unknown, file: string): Copying | undefined {
  if (!isRecord(value)) return undefined;
  const { targets, draft, outdated, rate, waitForSpace, keep } = value;
  return {
    targets: asArray(targets).flatMap((each) =>
      isRecord(each) ? [{ id: asText(each['id']), file: asText(each['file']), format: asText(each['format']) }] : [],
    ),
    draft: parseManifest(JSON.stringify(draft), file),
    outdated: readBitmaps(outdated),
    rate: optionalNumber(rate),
    waitForSpace: waitForSpace === true,
    keep: optionalNumber(keep),
  };
}
