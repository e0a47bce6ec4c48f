import { lstatSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { QemuError } from '../../base/errors.ts';
import { readBoundedText } from '../../system/files/bounded-text.ts';
import { fileError } from '../../system/files/file-error.ts';
import { detectFormat, type ImportFormat } from './format.ts';
import { LARGEST_DEFINITION } from './import.ts';

/** How other programs call their definitions. A script may be anything. */
const DEFINITION = /^[^.].*\.(?:conf|xml|json)$/;

/** Whether a path is a folder, whose definitions {@link definitionsIn} finds. */
export function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    // Whoever reads it tells why it cannot be read.
    return false;
  }
}

/**
 * The definitions of machines directly in a folder, by name; those of one program, since a folder that has several kinds was
 * not made for this. What is none, such as networks of libvirt, is passed over; what cannot be read may be one.
 *
 * @throws {QemuError} `QEMU_CONFIG_INVALID` when there are none, or of several kinds, `QEMU_NOT_PERMITTED`, `QEMU_IO`.
 */
export function definitionsIn(dir: string): string[] {
  const found = findIn(dir);
  const kinds = [...new Set(found.flatMap(({ format }) => format ?? []))];
  if (kinds.length === 1 || (kinds.length === 0 && found.length > 0)) return found.map(({ path }) => path);
  if (kinds.length > 1) {
    const each = found.map(({ path, format = 'unreadable' }) => `${path} (${format})`).join(', ');
    throw new QemuError('QEMU_CONFIG_INVALID', `"${dir}" has definitions of several programs: ${each}`, {
      hint: 'name the files',
    });
  }
  throw new QemuError('QEMU_CONFIG_INVALID', `"${dir}" has no definition of a machine that can be read`, {
    hint: below(dir) ?? 'name the files; there they end in .xml, .conf or .json',
  });
}

interface Found {
  readonly path: string;
  /** Undefined when it cannot be read. */
  readonly format: ImportFormat | undefined;
}

function findIn(dir: string): Found[] {
  return namesIn(dir)
    .filter((name) => DEFINITION.test(name))
    .flatMap((name): Found[] => {
      const path = join(dir, name);
      const text = textOf(path);
      if (text === undefined) return [];
      if (text === UNREADABLE) return [{ path, format: undefined }];
      const format = formatOf(text, path);
      return format === undefined ? [] : [{ path, format }];
    });
}

const UNREADABLE = Symbol('unreadable');

/** Only regular files are looked into. */
function textOf(path: string): string | typeof UNREADABLE | undefined {
  try {
    return statSync(path).isFile() ? readBoundedText(path, LARGEST_DEFINITION) : undefined;
  } catch {
    return UNREADABLE;
  }
}

/** Definitions of qemu-init itself are there already. */
function formatOf(text: string, path: string): ImportFormat | undefined {
  try {
    const format = detectFormat(text, path);
    return format === 'cfg' || (format === 'libvirt' && !/<domain[\s>]/.test(text)) ? undefined : format;
  } catch {
    return undefined;
  }
}

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir).sort();
  } catch (error) {
    throw fileError('read', dir, error);
  }
}

/** What to type when the definitions are in folders of that folder, as those of vm-bhyve are. */
function below(dir: string): string | undefined {
  const folders = namesIn(dir).filter((name) => lstatSync(join(dir, name)).isDirectory());
  const found = folders.slice(0, MOST_FOLDERS).flatMap((name) => {
    try {
      return findIn(join(dir, name));
    } catch {
      return [];
    }
  });
  const [first] = found;
  return first && `they are in folders of it: ${join(dir, '*', `*${/\.\w+$/.exec(first.path)?.[0] ?? ''}`)}`;
}

/** Looked into for a hint alone. */
const MOST_FOLDERS = 100;
