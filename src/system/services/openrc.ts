import { existsSync, symlinkSync } from 'node:fs';

/**
 * Marks a service as started in OpenRC, which at shutdown stops only services it knows to be started. Does nothing if
 * OpenRC is not in charge or has no such service, or the caller lacks the rights.
 *
 * The link is what OpenRC makes itself; service(8) of Debian makes it, too.
 */
export function tellOpenRcStarted(service: string): void {
  const script = `/etc/init.d/${service}`;
  if (!existsSync(`${STATE_DIR}/softlevel`) || !existsSync(script)) return;
  // OpenRC is starting it and marks it itself when done.
  if (existsSync(`${STATE_DIR}/starting/${service}`)) return;
  try {
    symlinkSync(script, `${STATE_DIR}/started/${service}`);
  } catch {
    // The link exists already, or cannot be made; the start succeeds without it.
  }
}

const STATE_DIR = '/run/openrc';
