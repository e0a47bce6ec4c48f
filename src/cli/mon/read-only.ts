import { QemuError } from '../../base/errors.ts';

/** QMP commands that change nothing. */
export function isQmpQuery(command: string): boolean {
  return /^((x-)?query-|qom-list|qom-get$|device-list-properties$)/.test(command);
}

/**
 * HMP commands that change nothing: `info …`, `help` and the calculator `print`. Printing memory (`x`, `xp`) is not one
 * of them: reading the registers of a device can change it.
 */
export function isHmpQuery(command: string): boolean {
  return /^(info|help|\?|print|p)(\/|\s|$)/.test(command);
}

/** The error of a command that --read-only refuses. */
export function refused(command: string): QemuError {
  return new QemuError('QEMU_NOT_PERMITTED', `"${command}" changes the machine; --read-only refuses it`);
}
