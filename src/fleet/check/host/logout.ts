import type { Problem } from '../../../base/problem.ts';
import type { MachineRef } from '../../../machine/context.ts';
import { locate } from '../../../machine/run/locate.ts';
import type { Paths } from '../../../system/paths.ts';
import { callerName } from '../../../system/users.ts';
import { logoutNotice } from '../../service/logout-notice.ts';

/** A user's running machines that end at logout. */
export function checkLogout(paths: Paths, targets: readonly MachineRef[]): Problem[] {
  if (paths.scope !== 'user') return [];
  return targets.flatMap((target): Problem[] => {
    const located = locate(target.files);
    const detail = located.kind === 'alive' ? logoutNotice(paths, target, located.process.pid) : undefined;
    if (detail === undefined) return [];
    const hint = `loginctl enable-linger ${callerName()}`;
    return [{ severity: 'warning', machine: target.longName, message: 'It ends when you log out', detail, hint }];
  });
}
