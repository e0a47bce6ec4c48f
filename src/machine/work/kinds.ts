import type { WorkKind } from './work-kind.ts';

/** All kinds of work, by the word in the record; each is loaded when there is some to be set right. */
const KINDS: Readonly<Record<string, () => Promise<WorkKind>>> = {
  backup: async () => (await import('../backup/backup-work.ts')).BACKUP_WORK,
  copy: async () => (await import('../copy/copy-work.ts')).COPY_WORK,
  pivot: async () => (await import('../disks/pivot/pivot-work.ts')).PIVOT_WORK,
  restore: async () => (await import('../restore/restore-work.ts')).RESTORE_WORK,
  files: async () => (await import('./files-work.ts')).FILES_WORK,
  'snapshot-layers': async () => (await import('../snapshot/outside/layer-work.ts')).LAYER_KIND,
  'snapshot-merge': async () => (await import('../snapshot/outside/merge-work.ts')).MERGE_KIND,
  'snapshot-create': async () => (await import('../snapshot/create-work.ts')).CREATE_KIND,
  'snapshot-delete': async () => (await import('../snapshot/delete-work.ts')).DELETE_KIND,
  'snapshot-revert': async () => (await import('../snapshot/revert-work.ts')).REVERT_KIND,
  'move-in': async () => (await import('../move/move-in-work.ts')).MOVE_IN_WORK,
  'restart-live': async () => (await import('../live/live-work.ts')).LIVE_WORK,
  'move-out': async () => (await import('../move/move-out-work.ts')).MOVE_OUT_WORK,
  save: async () => (await import('../state/save-work.ts')).SAVE_WORK,
};

/** The kind; undefined for one of a newer version. */
export async function workKind(name: string): Promise<WorkKind | undefined> {
  return Object.hasOwn(KINDS, name) ? KINDS[name]?.() : undefined;
}
