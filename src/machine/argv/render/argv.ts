import { quoteComma } from '../../../base/text.ts';
import type { Device, Drive, ImageNode, Netdev, Part, PropertyValue, QemuObject } from '../description.ts';
import type { Option } from '../option.ts';
import { fileNode, formatNode, keyProperty } from './nodes.ts';

/** A part of a machine as an option of QEMU's command line. */
export function renderOption(part: Part): Option {
  return { key: part.key, args: argsOf(part) };
}

function argsOf(part: Part): readonly string[] {
  switch (part.kind) {
    case 'option':
      return part.args;
    case 'device':
      return ['-device', deviceValue(part)];
    case 'drive':
      return ['-drive', driveValue(part)];
    case 'netdev':
      return ['-netdev', netdevValue(part)];
    case 'object':
      return ['-object', objectValue(part)];
    default:
      return part satisfies never;
  }
}

/**
 * What the device is connected to comes first, as the qemu-init internals page documents for network cards; its place
 * last.
 */
function deviceValue({ driver, drive, properties, id, bus, addr, multifunction }: Device): string {
  return list(driver, { drive: drive?.id, ...properties, id, bus, addr, multifunction });
}

function objectValue({ type, id, properties }: QemuObject): string {
  return list(type, { id, ...properties });
}

function driveValue({ id, media, image, readonly, snapshot, cache, aio, discard, detectZeroes, rate }: Drive): string {
  return list('', {
    file: image?.file,
    format: image?.format,
    if: 'none',
    id,
    media: media === 'cdrom' ? media : undefined,
    // QEMU treats a drive with a node name as one with an image.
    'node-name': image && formatNode(id),
    'file.node-name': image && fileNode(id),
    snapshot: media === 'disk' ? snapshot : undefined,
    readonly: readonly || undefined,
    cache,
    aio,
    discard,
    'detect-zeroes': detectZeroes,
    'throttling.bps-total': rate,
    ...(image && keyAndBacking(image, '')),
  });
}

/** Formats that neither `format=` nor the headers of the images state. */
function keyAndBacking(image: ImageNode, prefix: string): Record<string, PropertyValue | undefined> {
  const { backing } = image;
  return {
    [`${prefix}${keyProperty(image)}`]: image.secret,
    ...(backing && {
      [`${prefix}backing.driver`]: backing.isGuessed ? backing.format : undefined,
      ...keyAndBacking(backing, `${prefix}backing.`),
    }),
  };
}

function netdevValue({ arguments: { type, id, ...rest } }: Netdev): string {
  return [type, `id=${id}`, ...Object.entries(rest).flatMap(([name, value]) => flatten(name, value))].join(',');
}

/** `addr: {type: 'fd'}` is `addr.type=fd`, and a list such as that of `hostfwd` repeats the name. */
function flatten(name: string, value: unknown): string[] {
  if (value === undefined) return [];
  if (Array.isArray(value)) return value.flatMap((each: { readonly str: unknown }) => flatten(name, each.str));
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).flatMap(([inner, each]) => flatten(`${name}.${inner}`, each));
  }
  return [`${name}=${text(value)}`];
}

/** `driver,name=value,…`; an empty driver is left out. */
function list(driver: string, values: Readonly<Record<string, PropertyValue | undefined>>): string {
  const rest = Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${text(value)}`],
  );
  return [...(driver === '' ? [] : [driver]), ...rest].join(',');
}

function text(value: unknown): string {
  return typeof value === 'boolean' ? (value ? 'on' : 'off') : quoteComma(String(value));
}
