import type { Target } from '../../machine/host.ts';
import { locate } from '../../machine/locate.ts';
import { callerName } from '../../system/lingering.ts';
import type { Paths } from '../../system/paths.ts';
import { logoutNotice } from '../logout-notice.ts';
import type { Finding } from './finding.ts';

/** Running machines of a user that end with his login. */
export function judgeLogout(paths: Paths, targets: readonly Target[]): Finding[] {
  if (paths.scope !== 'user') return [];
  return targets.flatMap((target): Finding[] => {
    const located = locate(target.files);
    const detail = located.kind === 'alive' ? logoutNotice(paths, target, located.process.pid) : undefined;
    if (detail === undefined) return [];
    const fix = `loginctl enable-linger ${callerName()}`;
    return [{ severity: 'warning', machine: target.longName, title: 'It ends when you log out', detail, fix }];
  });
}
