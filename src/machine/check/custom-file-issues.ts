import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Problem } from '../../base/problem.ts';
import type { MachineConfig } from '../../config/types.ts';
import { type CustomFile, customFiles } from './custom-files.ts';
import { readValues, splitOptions } from './option-values.ts';

/** What lines of `[custom]` need on this host and what is not there: QEMU would refuse each of them. */
export function customFileIssues(config: MachineConfig): Problem[] {
  const missing = customFiles(config.custom, config.dir).flatMap((file): Problem[] => {
    const problem = problemOf(file);
    if (problem === undefined) return [];
    const message = `"${file.option}" in [custom]: ${problem}`;
    // The hook that runs before QEMU may make it; the other end of a socket may be a machine or service that starts before.
    const mayCome = config.preCommand.length > 0 || (file.option === '-chardev' && file.use === 'read');
    return [{ ...file.origin, message, severity: mayCome ? 'warning' : 'error' }];
  });
  return [...missing, ...windowIssues(config)];
}

function problemOf({ path, use }: CustomFile): string | undefined {
  if (use === 'other') return undefined;
  if (use !== 'made') return isMissing(path) ? `"${path}" does not exist` : undefined;
  const folder = dirname(path);
  return isMissing(folder) ? `the folder "${folder}" does not exist` : undefined;
}

function isMissing(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) === undefined;
  } catch {
    // It is there, or this process may not know.
    return false;
  }
}

function windowIssues({ custom }: MachineConfig): Problem[] {
  if (process.env['DISPLAY'] || process.env['WAYLAND_DISPLAY']) return [];
  return custom.flatMap(({ args, origin }) =>
    splitOptions(args).flatMap(({ name, values: [value = ''] }): Problem[] => {
      const read = readValues(value);
      const kind = read.get('type') ?? read.get('') ?? '';
      if (name !== 'display' || !/^(?:gtk|sdl)$/.test(kind)) return [];
      const message = `"-display ${kind}" in [custom] needs a screen, and DISPLAY and WAYLAND_DISPLAY are not set`;
      return [{ ...origin, message, severity: 'error', hint: 'set VNC= instead' }];
    }),
  );
}
