import type { MachineRef } from '../../../machine/context.ts';
import { locate } from '../../../machine/run/locate.ts';
import type { Paths } from '../../../system/paths.ts';
import { callerName } from '../../../system/services/lingering.ts';
import { logoutNotice } from '../../service/logout-notice.ts';
import type { Finding } from './finding.ts';

/** Running machines of a user that end with his login. */
export function checkLogout(paths: Paths, targets: readonly MachineRef[]): Finding[] {
  if (paths.scope !== 'user') return [];
  return targets.flatMap((target): Finding[] => {
    const located = locate(target.files);
    const detail = located.kind === 'alive' ? logoutNotice(paths, target, located.process.pid) : undefined;
    if (detail === undefined) return [];
    const fix = `loginctl enable-linger ${callerName()}`;
    return [{ severity: 'warning', machine: target.longName, title: 'It ends when you log out', detail, fix }];
  });
}
