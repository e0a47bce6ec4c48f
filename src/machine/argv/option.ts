/** One option of QEMU with its values, and the key that it is from. */
export interface Option {
  /** As passed: `['-m', '2G']`. */
  readonly args: readonly string[];
  /** Key of the cfg file such as `RAM` or `DSK1`; empty for what qemu-init needs for itself. */
  readonly key: string;
}

/** Joins `name=value` parts with commas; parts that are undefined are left out. */
export function properties(...parts: readonly (string | undefined | false)[]): string {
  return parts.filter((part) => part !== undefined && part !== false).join(',');
}
