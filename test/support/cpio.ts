/** What goes into an initramfs, in order: folders come before what lies in them. */
export type CpioEntry =
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'file'; readonly path: string; readonly data: Uint8Array; readonly mode?: number }
  | { readonly kind: 'link'; readonly path: string; readonly target: string }
  | { readonly kind: 'device'; readonly path: string; readonly major: number; readonly minor: number };

/** File types of stat.h, as inode(7) has them. */
const TYPE = { folder: 0o040000, file: 0o100000, link: 0o120000, device: 0o020000 };

/** An archive in the form "newc", the one that Linux unpacks (Documentation/driver-api/early-userspace/buffer-format.rst). */
export function cpioArchive(entries: readonly CpioEntry[]): Buffer {
  const trailer = record('TRAILER!!!', 0, new Uint8Array());
  return Buffer.concat([...entries.map((entry, i) => entryRecord(entry, i + 1)), trailer]);
}

function entryRecord(entry: CpioEntry, inode: number): Buffer {
  const type = TYPE[entry.kind];
  switch (entry.kind) {
    case 'folder':
      return record(entry.path, type | 0o755, new Uint8Array(), { inode });
    case 'file':
      return record(entry.path, type | (entry.mode ?? 0o644), entry.data, { inode });
    case 'link':
      return record(entry.path, type | 0o777, Buffer.from(entry.target), { inode });
    case 'device':
      return record(entry.path, type | 0o600, new Uint8Array(), { inode, device: [entry.major, entry.minor] });
  }
}

function record(
  path: string,
  mode: number,
  data: Uint8Array,
  { inode = 0, device: [major, minor] = [0, 0] }: { inode?: number; device?: readonly [number, number] } = {},
): Buffer {
  const name = Buffer.from(`${path}\0`);
  // inode, mode, owner, group, links, time, size, the device that it is on, the device that it is, length of the name
  const fields = [inode, mode, 0, 0, 1, 0, data.length, 0, 0, major, minor, name.length, 0];
  const header = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`;
  return Buffer.concat([padded(Buffer.concat([Buffer.from(header), name])), padded(data)]);
}

/** Header with name, and data, each end at a multiple of four. */
function padded(data: Uint8Array): Buffer {
  return Buffer.concat([data, new Uint8Array(-data.length & 3)]);
}
