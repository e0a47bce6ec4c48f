import { join } from 'node:path';
import type { Notice } from '../../machine/context.ts';
import { ensureDir, readTextIfExists, removeIfExists } from '../../system/files/files.ts';
import { writeFileAtomic } from '../../system/files/write-file.ts';
import type { Paths } from '../../system/paths.ts';

/** Stores the notices of a start in the unit, for the command that asked systemd for it. */
export function writeStartNotices(paths: Paths, longName: string, notices: readonly Notice[]): void {
  const kept = notices.filter(({ level, machine }) => isForPeople(level) && (machine ?? longName) === longName);
  if (kept.length === 0) {
    removeStartNotices(paths, longName);
    return;
  }
  ensureDir(folderOf(paths), 0o700);
  writeFileAtomic(fileOf(paths, longName), JSON.stringify(kept), 0o600);
}

export function removeStartNotices(paths: Paths, longName: string): void {
  removeIfExists(fileOf(paths, longName));
}

/** Returns the stored notices once; none if the file is damaged. */
export function takeStartNotices(paths: Paths, longName: string): Notice[] {
  const text = readTextIfExists(fileOf(paths, longName));
  removeStartNotices(paths, longName);
  try {
    const value: unknown = JSON.parse(text ?? '[]');
    return Array.isArray(value) ? value.flatMap(noticeFrom) : [];
  } catch {
    return [];
  }
}

function noticeFrom(value: unknown): Notice[] {
  if (typeof value !== 'object' || value === null || !('level' in value) || !('message' in value)) return [];
  const { level, message } = value;
  if (typeof message !== 'string' || !isForPeople(level)) return [];
  const machine = 'machine' in value && typeof value.machine === 'string' ? value.machine : undefined;
  return [{ level, machine, message }];
}

/** Whether a notice is shown unless --quiet is given. */
function isForPeople(level: unknown): level is 'info' | 'warning' {
  return level === 'info' || level === 'warning';
}

/** No machine's name begins with a dot. */
function folderOf(paths: Paths): string {
  return join(paths.runDir, '.notices');
}

function fileOf(paths: Paths, longName: string): string {
  return join(folderOf(paths), `${longName}.json`);
}
