import type { Drive, Part } from '../argv/description.ts';
import type { Reality } from './reality.ts';
import { isController, isPresent, type Running, withoutKeys } from './running.ts';

/** A machine as it runs, and what is left of devices that are gone. */
export interface Observed {
  readonly running: Running;
  /** Parts of devices that are not there any more, or that were never plugged in to the end. */
  readonly leftovers: readonly Part[];
}

/**
 * Puts what was noted right by what QEMU has: a command may have been killed between its steps, a guest may have let go
 * of a device late, another program may have changed things. Pure.
 */
export function observe(noted: Running, reality: Reality): Observed {
  const goneKeys = new Set<string>();
  const isGone = (part: Part): boolean => {
    switch (part.kind) {
      case 'device':
        return !isPresent(part, reality.devices);
      case 'drive':
        return !hasDevice((device) => device.drive?.id === part.id);
      case 'netdev':
        return !hasDevice((device) => device.properties['netdev'] === part.arguments.id);
      case 'object':
        return /^(?:dsk|dimm)\d+-/.test(part.id) && !hasDevice(({ id }) => id === ownerOf(part.id));
      case 'option':
        return false;
      default:
        return part satisfies never;
    }
  };
  const present = noted.parts.filter((part) => part.kind === 'device' && isPresent(part, reality.devices));
  const hasDevice = (matches: (device: Extract<Part, { kind: 'device' }>) => boolean): boolean =>
    present.some((part) => part.kind === 'device' && matches(part));
  const leftovers = noted.parts.filter(isGone);
  for (const { key } of leftovers) goneKeys.add(key);
  const parts = noted.parts.filter((part) => !leftovers.includes(part)).map((part) => withMedium(part, reality));
  const keys = new Set(parts.flatMap((part) => (goneKeys.has(part.key) && isController(part) ? [] : [part.key])));
  const left = Object.entries(noted.leaving).filter(([key]) => keys.has(key));
  return {
    leftovers,
    running: {
      config: withoutKeys(noted.config, new Set([...goneKeys].filter((key) => !keys.has(key)))),
      parts,
      plugged: noted.plugged.filter((id) => reality.devices.has(id)),
      leaving: Object.fromEntries(left),
    },
  };
}

/** The device that an object is for: `dsk1-dev` of `dsk1-key`, `dimm1` of `dimm1-mem`. */
function ownerOf(object: string): string {
  return object.startsWith('dsk') ? object.replace(/-.*/, '-dev') : object.replace(/-.*/, '');
}

/** The image that a drive has: discs are changed, and disks go on in other files, without being plugged in again. */
function withMedium(part: Part, { media }: Reality): Part {
  if (part.kind !== 'drive') return part;
  const seen = media.get(`${part.id}-dev`);
  return { ...part, image: imageNow(part, seen) };
}

function imageNow(
  { media, image, snapshot }: Drive,
  seen: { file: string; format: string } | undefined,
): Drive['image'] {
  if (snapshot) return image;
  if (seen === undefined) return media === 'cdrom' ? undefined : image;
  if (image?.file === seen.file && image.format === seen.format) return image;
  // What is not a file of the host is not what a cfg has.
  if (media === 'disk' && !seen.file.startsWith('/')) return image;
  return { ...image, file: seen.file, format: seen.format };
}
