/** What an image's header contains. */
export interface ImageInfo {
  /** QEMU's name of the format, such as `qcow2` or `raw`. */
  readonly format: string;
  /** Size of the disk that the guest sees; undefined when the header does not contain it. */
  readonly virtualSizeBytes: number | undefined;
  /** As written in the header: relative to the image's folder, absolute, or a `json:` or URL text of QEMU. */
  readonly backingFile: string | undefined;
  /** Undefined when the header does not contain it, which QEMU refuses since 6.1 in new images. */
  readonly backingFormat: string | undefined;
  /** External data file of a qcow2 image, written like a backing file; always raw. */
  readonly dataFile?: string;
  /** Files that contain the data according to a VMware descriptor, as written there. */
  readonly extents?: readonly string[];
  /** How a qcow2 image is encrypted. */
  readonly encryption?: 'aes' | 'luks';
  /** Why QEMU cannot write to it, as a clause: `is compressed (streamOptimized)`. */
  readonly writeObstacle?: string;
  /** It can be repaired, so that QEMU writes to it again. */
  readonly isDamaged?: true;
  /** Why QEMU cannot use it, as a clause. */
  readonly obstacle?: string;
}

/** An open image. */
export interface ImageFile {
  readonly sizeBytes: number;
  /** Always a buffer of that length: it is padded with zeros beyond the end of the file. */
  readonly read: (offset: number, length: number) => Buffer;
}

/** What a header contains in addition to the format. */
export type ImageDetail = Partial<Omit<ImageInfo, 'format'>>;
