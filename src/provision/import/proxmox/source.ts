import type { ImportDraft, ImportPlace } from '../draft.ts';
import type { ImportFiles } from '../files.ts';
import { type ConfEntry, parseProperties } from './conf.ts';
import type { Storage } from './storage.ts';

/** What the readers of single keys share. */
export interface ProxmoxSource {
  readonly draft: ImportDraft;
  readonly values: ReadonlyMap<string, string>;
  readonly storages: ReadonlyMap<string, Storage>;
  readonly files: ImportFiles;
}

/** Notes the parts of an entry that are not carried over, but for those named. */
export function loseParts(
  draft: ImportDraft,
  value: string,
  place: ImportPlace,
  known: string[],
  reason: string,
): void {
  const key = place.source.split(':')[0] ?? '';
  for (const [name, text] of parseProperties(value, '')) {
    if (name === '' || known.includes(name)) continue;
    draft.lose({ line: place.line, source: `${key}: ${name}=${text}` }, reason);
  }
}

/** Place of a drive or NIC in the boot order, if the file names single ones. */
export function bootIndexOf({ values }: ProxmoxSource, key: string): string | undefined {
  const order = /order=([^,]*)/.exec(values.get('boot') ?? '')?.[1]?.split(';') ?? legacyOrder(values);
  const index = order.indexOf(key);
  return index < 0 ? undefined : String(index);
}

/** `bootdisk:` is the only disk that is booted, at the place of "c" in the letters of `boot:`. */
function legacyOrder(values: ReadonlyMap<string, string>): string[] {
  const disk = values.get('bootdisk') ?? '';
  if (!values.has(disk)) return [];
  const letters = lettersOf(values.get('boot') ?? '').split('');
  return letters.flatMap((letter) => {
    if (letter === 'c') return [disk];
    const pattern = { d: /^(?:(?:ide|sata|scsi|virtio)\d+|cdrom)$/, n: /^net\d+$/ }[letter];
    const keys = [...values].filter(([key, value]) => pattern?.test(key) && (letter === 'n' || isDisc(value)));
    return keys.map(([key]) => (key === 'cdrom' ? 'ide2' : key));
  });
}

const isDisc = (value: string): boolean => /(?:^|,)media=cdrom(?:,|$)|^(?:file=)?(?:none|cdrom)(?:,|$)/.test(value);

/** `ndc` of `ndc` or `legacy=ndc`: network, CD-ROM, disk; what Proxmox takes when nothing is written. */
export function lettersOf(boot: string): string {
  return /^(?:legacy=)?([acdn]+)(?:,|$)/.exec(boot)?.[1] ?? 'cdn';
}

export function placeOf({ key, value, line }: ConfEntry): ImportPlace {
  return { line, source: `${key}: ${value}` };
}
