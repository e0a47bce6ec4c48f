import { join } from 'node:path';
import { namesIn, readTextIfExists } from '../../system/files/files.ts';
import { trustPath } from '../../system/trust/trusted-path.ts';

/** Where QEMU's descriptors of a kind are; what is in the first hides what has the same name in the second. */
const FOLDERS = ['/etc/qemu', '/usr/share/qemu'];

/**
 * What this host has of a kind, best first, as QEMU's docs/interop describes it (firmware.json, vhost-user.json). A file
 * that is not JSON, as an empty one that hides another, is left out.
 *
 * @throws {QemuError} `QEMU_NOT_PERMITTED` for one that other users may change: it names programs and files.
 */
export function qemuDescriptors(kind: 'firmware' | 'vhost-user'): unknown[] {
  const files = new Map<string, string>();
  for (const dir of FOLDERS.map((folder) => join(folder, kind)).toReversed()) {
    for (const name of namesIn(dir)) if (name.endsWith('.json')) files.set(name, join(dir, name));
  }
  return [...files.keys()].sort().flatMap((name) => readJson(files.get(name) ?? ''));
}

function readJson(path: string): unknown[] {
  trustPath(path);
  try {
    return [JSON.parse(readTextIfExists(path) ?? '')];
  } catch {
    return [];
  }
}
