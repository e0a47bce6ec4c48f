/** What an image says of itself. */
export interface ImageInfo {
  /** QEMU's name of the format, such as `qcow2` or `raw`. */
  readonly format: string;
  /** Size of the disk that the guest sees; undefined when the header does not tell. */
  readonly virtualSizeBytes: number | undefined;
  /** As written in the header: relative to the image's folder, absolute, or a `json:` or URL text of QEMU. */
  readonly backingFile: string | undefined;
  /** Undefined when the header does not tell, which QEMU refuses since 6.1 in new images. */
  readonly backingFormat: string | undefined;
  /** External data file of a qcow2 image, written like a backing file; always raw. */
  readonly dataFile?: string;
  /** Files that a VMware descriptor says its data is in, as written there. */
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
  /** Always a buffer of that length: zeros stand for what is beyond the end of the file. */
  readonly read: (offset: number, length: number) => Buffer;
}

/** What a header tells besides the format. */
export type ImageDetail = Partial<Omit<ImageInfo, 'format'>>;
