import { existsSync } from 'node:fs';
import type { Paths } from '../../system/paths.ts';
import { isLingering } from '../../system/services/lingering.ts';
import {
  isSystemdBooted,
  isUnitInstalled,
  isUnitMasked,
  isUserUnitInstalled,
  systemctl,
} from '../../system/services/systemd.ts';
import { callerName } from '../../system/users.ts';
import { unitName } from './units/unit-text.ts';

/** When a machine with AUTOSTART=on starts, as text: that depends on the scope, and it may be never. */
export async function whenStarted(paths: Paths, signal: AbortSignal): Promise<string> {
  switch (paths.scope) {
    case 'system':
      return whenSystemStarts(signal);
    case 'user':
      return whenUserStarts();
    case 'root':
      return `${NOTHING} below --root; call at boot: qemu-init --root DIR start --autostart`;
  }
}

const NOTHING = 'has AUTOSTART=on, but nothing starts machines at boot';

async function whenSystemStarts(signal: AbortSignal): Promise<string> {
  const boots = 'starts when the host boots';
  const missing = `${NOTHING} (install the units: qemu-init install)`;
  if (!isSystemdBooted()) return existsSync('/etc/init.d/qemu-init') ? boots : missing;
  if (!isUnitInstalled('qemu@.service')) return missing;
  const { exitCode, stdout } = await systemctl(['is-enabled', 'qemu.target'], { signal });
  if (exitCode === 0) return boots;
  const unmask = stdout.startsWith('masked') ? 'systemctl unmask qemu.target; ' : '';
  return `${NOTHING}: ${unmask}systemctl enable qemu.target`;
}

function whenUserStarts(): string {
  if (!isSystemdBooted() || !isUserUnitInstalled('qemu@.service')) {
    return 'has AUTOSTART=on, but nothing starts machines of users on this host; call at login: qemu-init start --autostart';
  }
  if (isLingering()) return 'starts when the host boots';
  return `starts when you log in; to start at boot: loginctl enable-linger ${callerName()}`;
}

/** Why a machine of the host with AUTOSTART=on does not start at boot, if its unit is masked. */
export function whyMasked({ scope }: Paths, longName: string): string | undefined {
  const unit = unitName(longName);
  if (scope !== 'system' || !isSystemdBooted() || !isUnitMasked(unit)) return undefined;
  return `has AUTOSTART=on, but its unit is masked, which disables its start: systemctl unmask ${unit}`;
}
