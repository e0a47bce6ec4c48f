import { ensureDir, readTextIfExists } from '../system/files/files.ts';
import { writeFileAtomic } from '../system/files/write-file.ts';
import { withLock } from '../system/lock/lock.ts';
import type { Paths } from '../system/paths.ts';
import { trustPath } from '../system/trust/trusted-path.ts';

const LOCK_TIMEOUT_MS = 60_000;

/** Only new mistakes: old ones elsewhere in the registry are for `check` to report. */
export async function editRegistry(paths: Paths, edit: (text: string) => string | Promise<string>): Promise<void> {
  trustPath(paths.registryFile);
  ensureDir(paths.runDir, 0o711);
  await withLock(paths.registryLock, { timeoutMs: LOCK_TIMEOUT_MS, purpose: 'register' }, async () => {
    const text = readTextIfExists(paths.registryFile) ?? '';
    const edited = await edit(text);
    if (edited === text) return;
    ensureDir(paths.etcDir, 0o755);
    writeFileAtomic(paths.registryFile, edited, undefined, { durable: true });
  });
}
