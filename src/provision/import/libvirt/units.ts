import { parseSize } from '../../../config/text/values.ts';
import type { XmlElement } from './xml.ts';

/** Bytes of an element with a `unit`, whose default is KiB. */
export function bytesOf(element: Pick<XmlElement, 'attribute' | 'ownText'>): number | undefined {
  const unit = element.attribute('unit') ?? 'KiB';
  const number = element.ownText() ?? '';
  if (!/^\d+$/.test(number)) return undefined;
  const factor = UNITS[unit];
  const bytes = factor === undefined ? parseSize(`${number}${unit}`) : Number(number) * factor;
  return bytes !== undefined && Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** Names of units, as libvirt's "memory" element has them. */
const UNITS: Readonly<Record<string, number>> = {
  b: 1,
  bytes: 1,
  KB: 1000,
  MB: 1000 ** 2,
  GB: 1000 ** 3,
  TB: 1000 ** 4,
  k: 1024,
  KiB: 1024,
  M: 1024 ** 2,
  MiB: 1024 ** 2,
  G: 1024 ** 3,
  GiB: 1024 ** 3,
  T: 1024 ** 4,
  TiB: 1024 ** 4,
};
