import { removeKey } from '../../config/text/edit-text.ts';
import type { Device, Part } from '../argv/description.ts';

/** What a running machine consists of: what it was started with, and what was plugged in and unplugged since. */
export interface Running {
  /** The machine as a cfg file, as it runs. */
  readonly config: string;
  readonly parts: readonly Part[];
  /** Ids of devices that were plugged in: a cold start would put them elsewhere. */
  readonly plugged: readonly string[];
  /** Keys whose devices were asked to go, and did not yet, with the time (ISO 8601) of the request. */
  readonly leaving: Readonly<Record<string, string>>;
}

/** The name by which a part is known again, at a start and later. */
export function identityOf(part: Part): string {
  switch (part.kind) {
    case 'device':
      return part.id === undefined ? `device ${JSON.stringify([part.driver, part.properties])}` : `device ${part.id}`;
    case 'drive':
    case 'object':
      return `${part.kind} ${part.id}`;
    case 'netdev':
      return `netdev ${part.arguments.id}`;
    case 'option':
      return `option ${JSON.stringify(part.args)}`;
    default:
      return part satisfies never;
  }
}

/** A value as it is after a way through a file: members that are undefined are not there. */
export function plain(value: object): object {
  const copy: unknown = JSON.parse(JSON.stringify(value));
  return typeof copy === 'object' && copy !== null ? copy : {};
}

/** Whether a device is there; one without an id is, since nothing takes it out. */
export function isPresent({ id }: Device, devices: ReadonlySet<string>): boolean {
  return id === undefined || devices.has(id);
}

/** Whether a part is a controller that was made for a device, and stays when that goes. */
export function isController(part: Part): boolean {
  return part.kind === 'device' && /^(?:scsi\d|usb|sata\d+|cdrom\d+)$/.test(part.id ?? '');
}

/** A cfg file as text without the lines of some keys. */
export function withoutKeys(config: string, keys: ReadonlySet<string>): string {
  if (keys.size === 0) return config;
  return [...keys].reduce((text, key) => removeKey(text, key), config);
}
