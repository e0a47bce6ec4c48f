import { resolve } from 'node:path';
import { quote } from '../../base/text.ts';
import type { ShareConfig } from '../device-config.ts';
import { SHARE_DRIVERS } from '../keys/values.ts';
import { keySpec } from '../keys.ts';
import { parseOptionList, renderOptionList, type ValueContext } from '../text/option-list.ts';

/** Longest names: MAX_TAG_LEN of QEMU's 9p without its NUL, and `tag` of virtio-fs (Virtual I/O Device 1.2, 5.11.4). */
const MOST_TAG_BYTES = { '9p': 31, virtiofs: 36 } as const;

/** Reads a `SHAREx`; undefined when it names no folder. Problems are reported. */
export function parseShare(text: string, index: number, context: ValueContext): ShareConfig | undefined {
  const list = parseOptionList(text, keySpec('SHARE').options ?? [], 'file', context);
  const { key, dir, report } = context;
  if (list.head === '') {
    report(`${key} does not name a folder`);
    return undefined;
  }
  const driver = SHARE_DRIVERS.find((name) => name === list.get('driver')) ?? 'virtiofs';
  const tag = list.get('tag') ?? `share${index}`;
  const most = MOST_TAG_BYTES[driver];
  if (Buffer.byteLength(tag) > most) report(`${key} tag ${quote(tag)} is longer than ${most} bytes`);
  return { index, path: resolve(dir, list.head), tag, readonly: list.get('readonly') === 'on', driver };
}

/** Writes a share as {@link parseShare} reads it. */
export function renderShare({ index, path, tag, readonly, driver }: ShareConfig): string {
  return renderOptionList(path, [
    ['tag', tag === `share${index}` ? undefined : tag],
    ['readonly', readonly ? 'on' : undefined],
    ['driver', driver === 'virtiofs' ? undefined : driver],
  ]);
}
