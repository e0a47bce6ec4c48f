import { ConfigError } from '../base/config-error.ts';
import type { Problem } from '../base/problem.ts';
import { parseMachineConfig } from '../config/machine-config.ts';
import { setKey } from '../config/text/edit-text.ts';
import type { MachineConfig } from '../config/types.ts';
import { LARGEST_FILE } from '../machine/config-text.ts';
import type { Paths } from '../system/paths.ts';
import { readTrustedText } from '../system/trust/trusted-path.ts';
import type { Settings } from './short-options.ts';

/** The text of a cfg file with these keys set. Pure. */
export function withSettings(text: string, settings: Settings): string {
  return settings.reduce((before, [key, value]) => setKey(before, key, value), text);
}

/**
 * What the text of a new machine's file means, which is not written yet.
 *
 * @param settings as the caller has given them: mistakes are reported in these words.
 * @throws {ConfigError} with all mistakes.
 */
export function checkDraft(paths: Paths, path: string, text: string, settings: Settings): MachineConfig {
  const defaults = readTrustedText(paths.defaultsFile, LARGEST_FILE);
  const { config, issues } = parseMachineConfig(text, {
    path,
    defaults: defaults === undefined ? undefined : { path: paths.defaultsFile, text: defaults },
    etcDir: paths.etcDir,
  });
  if (config) return config;
  // The file is not created, so its line numbers would mean nothing: the given settings are wrong.
  const given = new Map(settings.map(([key, value]) => [key, `${key}=${value}`]));
  const shown = issues.map((issue): Problem => {
    const word = issue.file === path ? given.get(issue.key ?? '') : undefined;
    return word === undefined
      ? issue
      : { ...issue, file: undefined, line: undefined, message: `${word}: ${issue.message}` };
  });
  throw new ConfigError(`Cannot create "${path}"`, shown);
}
