import { readTextIfExists } from '../files/files.ts';
import { UNIT_FOLDERS } from './systemd.ts';

/** Targets of systemd that shut down or reboot the host: systemd.special(7). */
const NAMES = ['poweroff', 'reboot', 'halt', 'kexec', 'soft-reboot'].map((name) => `${name}.target`);

/** The targets that give up waiting for services after a time, with that time in seconds. */
export function shutdownTargets(): { readonly name: string; readonly limitSeconds: number }[] {
  return NAMES.flatMap((name) => {
    const text = UNIT_FOLDERS.map((folder) => readTextIfExists(`${folder}/${name}`)).find((each) => each !== undefined);
    const [, span] = /^JobTimeoutSec=(.*)$/m.exec(text ?? '') ?? [];
    const limitSeconds = span === undefined ? Number.POSITIVE_INFINITY : spanSeconds(span);
    return Number.isFinite(limitSeconds) && limitSeconds > 0 ? [{ name, limitSeconds }] : [];
  });
}

/** Seconds of a time span such as `2min 30s`, as units have it and systemctl prints it: systemd.time(7). */
export function spanSeconds(text: string): number {
  if (text.trim() === 'infinity') return Number.POSITIVE_INFINITY;
  return [...text.matchAll(/([\d.]+)\s*([a-z]*)/g)].reduce((sum, [, number, unit = '']) => {
    return sum + Number(number) * (SECONDS[unit] ?? 0);
  }, 0);
}

const SECONDS: Readonly<Record<string, number>> = {
  '': 1,
  w: 604_800,
  d: 86_400,
  h: 3600,
  hr: 3600,
  min: 60,
  m: 60,
  s: 1,
  sec: 1,
  ms: 0.001,
  us: 0.000_001,
};
