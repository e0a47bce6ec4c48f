import type { ImportDraft } from '../draft.ts';
import type { ImportFiles } from '../files.ts';
import type { Storage } from './storage.ts';

/** What the readers of single keys share. */
export interface ProxmoxSource {
  readonly draft: ImportDraft;
  readonly values: ReadonlyMap<string, string>;
  readonly storages: ReadonlyMap<string, Storage>;
  readonly files: ImportFiles;
}

/** Place of a drive or NIC in `boot: order=`. */
export function bootIndexOf({ values }: ProxmoxSource, key: string): string | undefined {
  const order = /order=([^,]*)/.exec(values.get('boot') ?? '')?.[1]?.split(';') ?? [];
  const index = order.indexOf(key);
  return index < 0 ? undefined : String(index);
}
