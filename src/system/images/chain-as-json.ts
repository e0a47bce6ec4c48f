/** A file of a disk as a program of QEMU is to open it. */
export interface ChainFile {
  readonly path: string;
  readonly format: string;
  /** A block device. */
  readonly isDevice?: boolean | undefined;
}

/**
 * A chain of images, the top one first, for a program of QEMU, which then opens these files and not what their headers
 * name as backing files: `json:` of qemu-img(1), BlockdevOptions of QMP.
 */
export function chainAsJson(files: readonly ChainFile[]): string {
  const node = files.reduceRight<object | null>((backing, { path, format, isDevice }) => {
    return { driver: format, file: { driver: isDevice ? 'host_device' : 'file', filename: path }, backing };
  }, null);
  return `json:${JSON.stringify(node)}`;
}
