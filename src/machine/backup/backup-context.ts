import type { MachineConfig } from '../../config/types.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import type { DiskAccess } from '../copy/access.ts';
import type { Work } from '../work/do-work.ts';

/** What all steps of a backup need. */
export interface BackupContext {
  readonly host: MachineContext;
  readonly target: MachineRef;
  readonly config: MachineConfig;
  /** Folder of all backups. */
  readonly dest: string;
  /** Folder of the machine's points. */
  readonly folder: string;
  readonly work: Work;
  readonly access: DiskAccess;
}

/** For each answer of QEMU, which may be busy with a slow disk. */
export const ANSWER_MS = 30_000;
