import { resolve } from 'node:path';
import { quote } from '../base/text.ts';
import { keySpec } from './keys.ts';
import { parseOptionList, renderOptionList, type ValueContext } from './text/option-list.ts';
import { parseSize, renderSize } from './text/values.ts';
import type { BackupConfig } from './types.ts';

/** Reads `BACKUP=`. */
export function parseBackup(text: string, context: ValueContext): BackupConfig | undefined {
  const list = parseOptionList(text, keySpec('BACKUP').options ?? [], 'file', context);
  const { key, dir, report } = context;
  if (list.head === '') {
    report(`${key} does not name a folder`);
    return undefined;
  }
  const rate = list.get('rate');
  const bytesPerSecond = rate === undefined ? undefined : parseSize(rate);
  if (rate !== undefined && (bytesPerSecond ?? 0) === 0) {
    report(`${key} rate must be a number of bytes a second such as 50M, not ${quote(rate)}`);
  }
  return {
    dest: resolve(dir, list.head),
    keep: list.integer('keep'),
    rateBytes: bytesPerSecond,
    compress: list.get('compress') === 'on',
  };
}

/** Writes what {@link parseBackup} reads. */
export function renderBackup(backup: BackupConfig | undefined): string {
  if (backup === undefined) return '';
  const { dest, keep, rateBytes, compress } = backup;
  return renderOptionList(dest, [
    ['keep', keep?.toString()],
    ['rate', rateBytes === undefined ? undefined : renderSize(rateBytes)],
    ['compress', compress ? 'on' : undefined],
  ]);
}
