import type { MachineConfig } from '../config/types.ts';
import { type ConfigIssue, isNotFound, QemuError } from '../errors.ts';

/** An issue with the line that the key stands on; without one when the value is a default. */
export function issueAt(config: MachineConfig, key: string, message: string, hint?: string): ConfigIssue {
  const origin = config.origins.get(key);
  return {
    file: origin?.file ?? config.path,
    line: origin?.line,
    key,
    message,
    severity: 'error',
    hint,
  };
}

/** An issue with a file that could not be read. */
export function fileIssue(config: MachineConfig, key: string, file: string, error: unknown): ConfigIssue {
  const cause = error instanceof QemuError ? error.cause : error;
  const missing = isNotFound(cause) || isNotFound(error);
  const reason = missing ? 'does not exist' : `cannot be read (${cause instanceof Error ? cause.message : error})`;
  return issueAt(config, key, `${key} "${file}" ${reason}`, error instanceof QemuError ? error.hint : undefined);
}
