import assert from 'node:assert/strict';
import type { Problem } from '../../../src/base/problem.ts';
import { parseMachineConfig } from '../../../src/config/machine-config.ts';
import { formatIssue } from '../../../src/config/text/issues.ts';
import type { MachineConfig } from '../../../src/config/types.ts';

/** A machine's file that is not there: nothing is read. */
export const MACHINE_PATH = '/etc/qemu/web-qemu.cfg';
export const DEFAULTS_PATH = '/etc/qemu/defaults-qemu.cfg';

/** The machine of a text that has no problem. */
export function parseGood(text: string, defaults?: string): MachineConfig {
  const { config, issues } = parse(text, defaults);
  assert.deepEqual(issues, []);
  assert.ok(config);
  return config;
}

/** The problems of a text that cannot be used, each as `line: message (hint)`. */
export function problemsOf(text: string, defaults?: string): string[] {
  const { config, issues } = parse(text, defaults);
  assert.equal(config, undefined);
  return issues.map(shorten);
}

/** An issue without the path of the machine's file. */
export function shorten(issue: Problem): string {
  return formatIssue(issue).replace(`${MACHINE_PATH}:`, '');
}

/** What a machine is, without where that stands. */
export function withoutOrigins(config: MachineConfig | undefined): unknown {
  assert.ok(config);
  const { origins: _, custom, ...rest } = config;
  return { ...rest, custom: custom.map(({ args }) => args) };
}

function parse(text: string, defaults?: string): ReturnType<typeof parseMachineConfig> {
  return parseMachineConfig(text, {
    path: MACHINE_PATH,
    defaults: defaults === undefined ? undefined : { path: DEFAULTS_PATH, text: defaults },
  });
}
