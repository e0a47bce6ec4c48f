/** What a reader of definitions asks about this host. */
export interface ImportFiles {
  /** Folder that relative names in the definition start from. */
  readonly dir: string;
  /** Whether a file is there. */
  exists(path: string): boolean;
  /** A small text file; undefined when it is not there or cannot be read. */
  read(path: string): string | undefined;
  /** Folders and devices of storages by their names, as given by the caller. */
  readonly storages: ReadonlyMap<string, string>;
}
