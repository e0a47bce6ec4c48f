import { asNumber, asRecord, asText, optionalNumber, optionalText } from '../base/guards.ts';

/** What is in a drive. */
export interface InsertedMedium {
  /** File name or pseudo protocol, as QEMU was given it. */
  readonly file: string;
  /** Name of the node on top; QEMU makes one such as `#block123` when it was given none. */
  readonly nodeName: string;
  /** Format driver such as `qcow2`. */
  readonly driver: string;
  readonly readOnly: boolean;
  readonly encrypted: boolean;
  readonly backingFile: string | undefined;
  /** Number of files below the one on top. */
  readonly backingFileDepth: number;
  readonly cache: { readonly direct: boolean; readonly noFlush: boolean; readonly writeback: boolean };
  /** `off`, `on` or `unmap`. */
  readonly detectZeroes: string;
  /** Limits of throttling in bytes a second; 0 for none. */
  readonly bps: number;
  readonly bpsRead: number;
  readonly bpsWrite: number;
  /** Limits of throttling in operations a second; 0 for none. */
  readonly iops: number;
  readonly iopsRead: number;
  readonly iopsWrite: number;
  /** Offset in bytes past which a write is reported; 0 for none. */
  readonly writeThreshold: number;
  readonly image: Image;
  /** The object of `query-block` itself, with all members of a newer QEMU. */
  readonly raw: Readonly<Record<string, unknown>>;
}

/** One file of a drive and, below it, the one that it is based on. */
export interface Image {
  readonly filename: string;
  readonly format: string;
  /** Bytes that the guest sees. */
  readonly virtualSize: number;
  /** Bytes that it takes on the host. */
  readonly actualSize: number | undefined;
  /** Bytes. */
  readonly clusterSize: number | undefined;
  /** Whether it was not closed cleanly. */
  readonly dirty: boolean;
  readonly backingFilename: string | undefined;
  readonly backingFilenameFormat: string | undefined;
  readonly backingImage: Image | undefined;
  readonly formatSpecific: ImageFormat | undefined;
}

/** What only one format has; the named members are qcow2's. */
export interface ImageFormat {
  readonly type: string;
  /** Version of the format: `0.10` or `1.1`. */
  readonly compat: string | undefined;
  readonly corrupt: boolean;
  readonly lazyRefcounts: boolean;
  readonly refcountBits: number | undefined;
  /** QEMU's own object, for all formats. */
  readonly raw: Readonly<Record<string, unknown>>;
}

/** Reads `inserted` of `query-block`. */
export function parseInserted(inserted: Readonly<Record<string, unknown>>): InsertedMedium {
  const cache = asRecord(inserted['cache']);
  return {
    file: asText(inserted['file']),
    nodeName: asText(inserted['node-name']),
    driver: asText(inserted['drv']),
    readOnly: inserted['ro'] === true,
    encrypted: inserted['encrypted'] === true,
    backingFile: optionalText(inserted['backing_file']),
    backingFileDepth: asNumber(inserted['backing_file_depth']),
    cache: {
      direct: cache['direct'] === true,
      noFlush: cache['no-flush'] === true,
      writeback: cache['writeback'] === true,
    },
    detectZeroes: asText(inserted['detect_zeroes']),
    bps: asNumber(inserted['bps']),
    bpsRead: asNumber(inserted['bps_rd']),
    bpsWrite: asNumber(inserted['bps_wr']),
    iops: asNumber(inserted['iops']),
    iopsRead: asNumber(inserted['iops_rd']),
    iopsWrite: asNumber(inserted['iops_wr']),
    writeThreshold: asNumber(inserted['write_threshold']),
    image: parseImage(inserted['image']),
    raw: inserted,
  };
}

function parseImage(value: unknown): Image {
  const image = asRecord(value);
  const { 'backing-image': backing, 'format-specific': specific } = image;
  return {
    filename: asText(image['filename']),
    format: asText(image['format']),
    virtualSize: asNumber(image['virtual-size']),
    actualSize: optionalNumber(image['actual-size']),
    clusterSize: optionalNumber(image['cluster-size']),
    dirty: image['dirty-flag'] === true,
    backingFilename: optionalText(image['backing-filename']),
    backingFilenameFormat: optionalText(image['backing-filename-format']),
    backingImage: backing === undefined ? undefined : parseImage(backing),
    formatSpecific: specific === undefined ? undefined : parseFormat(specific),
  };
}

function parseFormat(value: unknown): ImageFormat {
  const specific = asRecord(value);
  const data = asRecord(specific['data']);
  return {
    type: asText(specific['type']),
    compat: optionalText(data['compat']),
    corrupt: data['corrupt'] === true,
    lazyRefcounts: data['lazy-refcounts'] === true,
    refcountBits: optionalNumber(data['refcount-bits']),
    raw: data,
  };
}
