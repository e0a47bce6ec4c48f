/** A file in the image. */
export interface FatFile {
  readonly name: string;
  readonly data: Uint8Array;
}

/** What an image is made of. */
export interface FatVolume {
  /** At most 11 capital letters and digits. */
  readonly label: string;
  /** 32 bits; tools show it as the serial number of the volume. */
  readonly id: number;
  readonly files: readonly FatFile[];
}

const SECTOR = 512;
const ENTRY = 32;
const ROOT_ENTRIES = 512;
const ROOT_SECTORS = (ROOT_ENTRIES * ENTRY) / SECTOR;

/** With more clusters it would be FAT16: "Microsoft Extensible Firmware Initiative FAT32 File System Specification" 1.03. */
const MOST_CLUSTERS = 4084;
/** An image has at least 1 MiB: some readers refuse less. */
const LEAST_CLUSTERS = 256;

const VOLUME_LABEL = 0x08;
const READ_ONLY_FILE = 0x21;
const LONG_NAME = 0x0f;
const LAST_OF_CHAIN = 0xfff;

/** 1980-01-01, the first day that FAT knows: the same input must make the same bytes on every day. */
const DATE = 0x0021;

/** UTF-16 units in one entry of a long name, and where they are. */
const UNITS = 13;
const UNIT_OFFSETS = [1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30];

/**
 * A FAT12 file system with long file names and all files in its root folder. Pure: the same input makes the same bytes.
 *
 * @throws {RangeError} with what is wrong, as a clause, when the files do not fit.
 * @see FatFile names must be good by {@link fatNameProblem}.
 */
export function fatImage({ label, id, files }: FatVolume): Buffer {
  const layout = layoutOf(files);
  const { perCluster, clusters, fatSectors } = layout;
  const dataAt = 1 + 2 * fatSectors + ROOT_SECTORS;
  const sectors = dataAt + clusters * perCluster;
  const image = Buffer.alloc(sectors * SECTOR);
  writeBootSector(image, { label, id, perCluster, fatSectors, sectors });
  const table = new Uint16Array(clusters + 2);
  table.set([0xff8, LAST_OF_CHAIN]);
  const entries = [shortEntry(label.padEnd(11), VOLUME_LABEL, 0, 0)];
  let next = 2;
  for (const [at, { name, data }] of files.entries()) {
    const count = clustersOf(data, perCluster);
    const first = count > 0 ? next : 0;
    for (let step = 1; step <= count; step++) table[next + step - 1] = step === count ? LAST_OF_CHAIN : next + step;
    if (count > 0) image.set(data, (dataAt + (first - 2) * perCluster) * SECTOR);
    next += count;
    const alias = aliasOf(name, at + 1);
    entries.push(...longEntries(name, alias), shortEntry(alias, READ_ONLY_FILE, first, data.length));
  }
  if (entries.length > ROOT_ENTRIES) throw new RangeError('are too many files');
  for (const copy of [0, 1]) writeTable(image, (1 + copy * fatSectors) * SECTOR, table);
  for (const [at, entry] of entries.entries()) entry.copy(image, (1 + 2 * fatSectors) * SECTOR + at * ENTRY);
  return image;
}

/** Why a file cannot have that name on a FAT file system, as a clause; undefined when it can. */
export function fatNameProblem(name: string): string | undefined {
  if (name.includes('\u{fffd}')) return 'is not UTF-8';
  if (name.length > 255) return 'is longer than 255 characters';
  const bad = Array.from(name).find((char) => char < ' ' || char === '\u{7f}' || '"*/:<>?\\|'.includes(char));
  if (bad !== undefined) return `has a character that FAT does not allow (${JSON.stringify(bad)})`;
  return /[. ]$/.test(name) ? 'ends in a dot or a blank' : undefined;
}

interface Layout {
  /** Sectors. */
  readonly perCluster: number;
  readonly clusters: number;
  readonly fatSectors: number;
}

/** Clusters of 4 KiB, of 8 KiB for what would need too many of them. */
function layoutOf(files: readonly FatFile[]): Layout {
  for (const perCluster of [8, 16]) {
    const used = files.reduce((sum, { data }) => sum + clustersOf(data, perCluster), 0);
    const clusters = Math.max(used, LEAST_CLUSTERS);
    if (clusters <= MOST_CLUSTERS) {
      return { perCluster, clusters, fatSectors: Math.ceil(((clusters + 2) * 1.5) / SECTOR) };
    }
  }
  throw new RangeError('do not fit into an image');
}

function clustersOf(data: Uint8Array, perCluster: number): number {
  return Math.ceil(data.length / (perCluster * SECTOR));
}

/** Fields by the specification; the code gives the next device a try if the firmware boots from the image. */
function writeBootSector(
  image: Buffer,
  {
    label,
    id,
    perCluster,
    fatSectors,
    sectors,
  }: Omit<FatVolume, 'files'> & Omit<Layout, 'clusters'> & { sectors: number },
): void {
  image.write('\u{eb}\u{3c}\u{90}QEMUINIT', 0, 'latin1');
  image.writeUInt16LE(SECTOR, 11);
  image[13] = perCluster;
  // One reserved sector, two tables.
  image.writeUInt16LE(1, 14);
  image[16] = 2;
  image.writeUInt16LE(ROOT_ENTRIES, 17);
  image.writeUInt16LE(sectors, 19);
  image[21] = 0xf8;
  image.writeUInt16LE(fatSectors, 22);
  image.writeUInt16LE(32, 24);
  image.writeUInt16LE(2, 26);
  image[36] = 0x80;
  image[38] = 0x29;
  image.writeUInt32LE(id >>> 0, 39);
  image.write(label.padEnd(11), 43, 'latin1');
  image.write('FAT12   ', 54, 'latin1');
  // int 0x18 ("no boot possible"), then hlt in a loop.
  image.set([0xcd, 0x18, 0xf4, 0xeb, 0xfd], 62);
  image.writeUInt16LE(0xaa55, 510);
}

/** Two entries of 12 bits are three bytes. */
function writeTable(image: Buffer, at: number, table: Uint16Array): void {
  for (const [cluster, value] of table.entries()) {
    const byte = at + ((cluster * 3) >> 1);
    const old = image.readUInt16LE(byte);
    image.writeUInt16LE(cluster % 2 === 0 ? (old & 0xf000) | value : (old & 0x000f) | (value << 4), byte);
  }
}

/** A short name that no other file has, since the number is its own. */
function aliasOf(name: string, number: number): string {
  const tail = `~${number}`;
  const stem = name
    .toUpperCase()
    .replaceAll(/[^A-Z0-9]/g, '')
    .slice(0, 8 - tail.length);
  return `${stem}${tail}`.padEnd(11);
}

function shortEntry(name: string, attributes: number, cluster: number, size: number): Buffer {
  const entry = Buffer.alloc(ENTRY);
  entry.write(name, 0, 'latin1');
  entry[11] = attributes;
  for (const at of [16, 18, 24]) entry.writeUInt16LE(DATE, at);
  entry.writeUInt16LE(cluster, 26);
  entry.writeUInt32LE(size, 28);
  return entry;
}

/** The parts of a long name, the last one first. */
function longEntries(name: string, alias: string): Buffer[] {
  const sum = Buffer.from(alias, 'latin1').reduce(
    (before, byte) => (((before & 1) << 7) + (before >> 1) + byte) & 0xff,
    0,
  );
  const text = Buffer.from(`${name}\0`, 'utf16le');
  const count = Math.ceil(name.length / UNITS);
  return Array.from({ length: count }, (_, at) => {
    const part = count - at;
    const entry = Buffer.alloc(ENTRY, 0xff);
    entry[0] = part | (at === 0 ? 0x40 : 0);
    entry[11] = LONG_NAME;
    entry[12] = 0;
    entry[13] = sum;
    entry.writeUInt16LE(0, 26);
    const units = text.subarray((part - 1) * UNITS * 2, part * UNITS * 2);
    for (let at = 0; at < units.length; at += 2) units.copy(entry, UNIT_OFFSETS[at / 2], at, at + 2);
    return entry;
  });
}
