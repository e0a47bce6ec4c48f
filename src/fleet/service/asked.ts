import { join } from 'node:path';
import { isValidName } from '../../config/text/names.ts';
import { ensureDir, namesIn, readTextIfExists, removeIfExists } from '../../system/files/files.ts';
import { writeFileAtomic } from '../../system/files/write-file.ts';
import type { Paths } from '../../system/paths.ts';

/** What a unit must know about a start, in addition to the machine's long name. */
export interface Asked {
  /** File of a machine that is not registered; undefined for one that is. Holds until the host boots. */
  readonly configPath: string | undefined;
  /** For the next start only. */
  readonly paused: boolean;
  readonly preconfig: boolean;
  readonly fresh: boolean;
}

const NOTHING: Asked = { configPath: undefined, paused: false, preconfig: false, fresh: false };

/** Stores the options of a start for the unit of the machine, which has no other way to receive them. */
export function writeAsked(paths: Paths, longName: string, asked: Asked): void {
  if (asked.configPath === undefined && !isOnce(asked)) {
    removeIfExists(fileOf(paths, longName));
    return;
  }
  ensureDir(folderOf(paths), 0o700);
  writeFileAtomic(fileOf(paths, longName), `${JSON.stringify(asked)}\n`, 0o600);
}

/** The stored options; none if the file is damaged. */
export function readAsked(paths: Paths, longName: string): Asked {
  try {
    const value: unknown = JSON.parse(readTextIfExists(fileOf(paths, longName)) ?? '{}');
    if (typeof value !== 'object' || value === null) return NOTHING;
    const { configPath, paused, preconfig, fresh }: Readonly<Record<keyof Asked, unknown>> = { ...NOTHING, ...value };
    return {
      configPath: typeof configPath === 'string' ? configPath : undefined,
      paused: paused === true,
      preconfig: preconfig === true,
      fresh: fresh === true,
    };
  } catch {
    return NOTHING;
  }
}

/** The same, for the start that it is meant for: the next one is a plain start again. */
export function takeAsked(paths: Paths, longName: string): Asked {
  const asked = readAsked(paths, longName);
  if (isOnce(asked)) writeAsked(paths, longName, { ...NOTHING, configPath: asked.configPath });
  return asked;
}

/** Whether something is for the next start only. */
function isOnce({ paused, preconfig, fresh }: Asked): boolean {
  return paused || preconfig || fresh;
}

/** Machines that are not registered and were started by their units since the host booted. */
export function askedMachines(paths: Paths): { longName: string; configPath: string }[] {
  return namesIn(folderOf(paths)).flatMap((file) => {
    const longName = file.replace(/\.json$/, '');
    if (longName === file || !isValidName(longName)) return [];
    const { configPath } = readAsked(paths, longName);
    return configPath === undefined ? [] : [{ longName, configPath }];
  });
}

/** No machine's name begins with a dot. */
function folderOf(paths: Paths): string {
  return join(paths.runDir, '.asked');
}

function fileOf(paths: Paths, longName: string): string {
  return join(folderOf(paths), `${longName}.json`);
}
