/** What a point of a backup consists of: `DEST/<long>/<point>/manifest.json`, written last. */
export interface BackupManifest {
  readonly version: 1;
  /** Long name of the machine. */
  readonly name: string;
  readonly shortName: string;
  /** The instant of the disks, ISO 8601. */
  readonly createdAt: string;
  readonly kind: 'full' | 'incremental';
  /** Why it is full although there were points before it. */
  readonly reason?: string | undefined;
  /** The point that the images of an incremental one rest on. */
  readonly parent?: string | undefined;
  /** Id of the chain, which the machine's dirty bitmaps have in their names. */
  readonly chain: string;
  /** Whether the file systems were frozen at that instant. */
  readonly quiesced: boolean;
  readonly qemuVersion: string;
  readonly compressed: boolean;
  readonly disks: readonly BackupDisk[];
  readonly files: readonly BackupFile[];
}

/** One disk of a point. */
export interface BackupDisk {
  /** `DSK1`. */
  readonly key: string;
  /** Name in the folder of the point. */
  readonly file: string;
  readonly format: 'qcow2';
  readonly virtualSizeBytes: number;
  readonly sizeBytes: number;
  readonly sha256: string;
  /** Absolute path of the image that it is a copy of, and its format. */
  readonly sourcePath: string;
  readonly sourceFormat: string;
  /** Backing file as the image has it in its header: `../<parent>/<file>`. */
  readonly backing?: string | undefined;
}

/** Another file of a point. */
export interface BackupFile {
  /** Path in the folder of the point: `web-qemu.cfg`, `vars.fd`, `tpm/tpm2-00.permall`. */
  readonly name: string;
  readonly role: 'cfg' | 'firmware' | 'tpm';
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** Name of the manifest in the folder of a point. */
export const MANIFEST_NAME = 'manifest.json';

/** The text of the file. */
export function renderManifest(manifest: BackupManifest): string {
  return `${JSON.stringify(manifest, null, 2)}\n`;
}
