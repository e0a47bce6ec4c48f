import { isRecord } from '../../base/guards.ts';
import type { Part } from './description.ts';

/** The parts in a record that this program wrote; undefined when one is not whole. */
export function partsFromJson(value: unknown): readonly Part[] | undefined {
  return Array.isArray(value) && value.every(isPart) ? value : undefined;
}

/** The members that tell one part from another; what else is in it was written by us and is passed on as it is. */
function isPart(value: unknown): value is Part {
  if (!isRecord(value) || typeof value['key'] !== 'string') return false;
  switch (value['kind']) {
    case 'option':
      return Array.isArray(value['args']) && value['args'].every((each) => typeof each === 'string');
    case 'device':
      return typeof value['driver'] === 'string' && isRecord(value['properties']);
    case 'drive':
      return typeof value['id'] === 'string' && (value['image'] === undefined || isImage(value['image']));
    case 'netdev':
      return isRecord(value['arguments']) && typeof value['arguments']['id'] === 'string';
    case 'object':
      return typeof value['id'] === 'string' && typeof value['type'] === 'string' && isRecord(value['properties']);
    default:
      return false;
  }
}

function isImage(value: unknown): boolean {
  if (!isRecord(value) || typeof value['file'] !== 'string' || typeof value['format'] !== 'string') return false;
  return value['backing'] === undefined || isImage(value['backing']);
}
