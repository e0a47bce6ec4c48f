import { existsSync, symlinkSync } from 'node:fs';

/**
 * Has OpenRC take a service for started. At shutdown it stops only what it takes for that, and it does not see what is
 * started past it. Nothing happens where OpenRC is not in charge, has no such service, or the caller may not tell it.
 *
 * The link is what OpenRC makes itself; service(8) of Debian makes it, too.
 */
export function tellOpenRcStarted(service: string): void {
  const script = `/etc/init.d/${service}`;
  if (!existsSync(`${STATE_DIR}/softlevel`) || !existsSync(script)) return;
  // It is at it, and will say so when it is done.
  if (existsSync(`${STATE_DIR}/starting/${service}`)) return;
  try {
    symlinkSync(script, `${STATE_DIR}/started/${service}`);
  } catch {
    // It is there already; and a start is none the worse without it.
  }
}

const STATE_DIR = '/run/openrc';
