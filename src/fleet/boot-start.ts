import { existsSync } from 'node:fs';
import { callerName, isLingering } from '../system/lingering.ts';
import type { Paths } from '../system/paths.ts';
import { isSystemdBooted, isUnitInstalled, isUserUnitInstalled } from '../system/systemd.ts';

/** When a machine with AUTOSTART=on starts, for people: who starts it differs from scope to scope, and it may be nobody. */
export function whenStarted(paths: Paths): string {
  switch (paths.scope) {
    case 'system':
      return hasSystemStart() ? 'starts when the host boots' : `${NOTHING} (to install what does: qemu-init install)`;
    case 'user':
      return whenUserStarts();
    case 'root':
      return `${NOTHING} below --root; to be called at boot: qemu-init --root DIR start --autostart`;
  }
}

const NOTHING = 'has AUTOSTART=on, but nothing starts machines at boot';

function hasSystemStart(): boolean {
  const hasScript = existsSync('/etc/init.d/qemu-init');
  return isSystemdBooted() ? isUnitInstalled('qemu@.service') : hasScript;
}

function whenUserStarts(): string {
  if (!isSystemdBooted() || !isUserUnitInstalled('qemu@.service')) {
    return 'has AUTOSTART=on, but nothing starts machines of users on this host; call at login: qemu-init start --autostart';
  }
  if (isLingering()) return 'starts when the host boots';
  return `starts when you log in; for a start when the host boots: loginctl enable-linger ${callerName()}`;
}
