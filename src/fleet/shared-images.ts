import { realpathSync } from 'node:fs';
import type { MachineConfig } from '../config/types.ts';
import type { ConfigIssue } from '../errors.ts';
import { issueAt } from '../machine/issues.ts';

/** Images that another machine has too. Two machines may share what neither of them writes to. */
export function sharedImages(config: MachineConfig, others: ReadonlyMap<string, MachineConfig>): ConfigIssue[] {
  return [...others].flatMap(([other, theirs]) => {
    if (other === config.longName) return [];
    return config.disks.flatMap((disk) => {
      const same = theirs.disks.find((each) => realPath(each.file) === realPath(disk.file));
      if (!same || (isReadOnly(disk) && isReadOnly(same))) return [];
      const message = `DSK${disk.index} "${disk.file}" is DSK${same.index} of machine "${other}" too`;
      const hint = 'give each machine an image of its own, or set readonly=on in both';
      return [issueAt(config, `DSK${disk.index}`, message, hint)];
    });
  });
}

function isReadOnly(disk: MachineConfig['disks'][number]): boolean {
  return disk.readonly || disk.snapshot;
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
