import { statSync } from 'node:fs';
import type { MachineConfig } from '../config/types.ts';
import type { ConfigIssue } from '../errors.ts';
import { issueAt } from '../machine/issues.ts';

/** Images that another machine has too. Two machines may share what neither of them writes to. */
export function sharedImages(config: MachineConfig, others: ReadonlyMap<string, MachineConfig>): ConfigIssue[] {
  return [...others].flatMap(([other, theirs]) => {
    if (other === config.longName) return [];
    return config.disks.flatMap((disk) => {
      const same = theirs.disks.find((each) => identity(each.file) === identity(disk.file));
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

/** One text for all names of a file, hard links too; the path when it cannot be looked at. */
function identity(path: string): string {
  try {
    const { dev, ino } = statSync(path);
    return `${dev}:${ino}`;
  } catch {
    return path;
  }
}
