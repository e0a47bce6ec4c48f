import { isNotFound, QemuError } from '../../base/errors.ts';
import type { Problem } from '../../base/problem.ts';
import type { MachineConfig } from '../../config/types.ts';

/** An issue with the line that the key stands on; without one when the value is a default. */
export function issueAt(config: MachineConfig, key: string, message: string, hint?: string): Problem {
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

/** What stopped a look at the host, as an issue with the key that led to it. */
export function issueOf(config: MachineConfig, key: string, error: QemuError): Problem {
  const cause = error.cause instanceof Error ? `: ${error.cause.message.split('\n')[0]}` : '';
  const code = error.code === 'QEMU_CONFIG_INVALID' ? undefined : error.code;
  return { ...issueAt(config, key, `${error.message}${cause}`, error.hint), code };
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? ` (${cause.message})` : '';
}

/** An issue with a file that could not be read. */
export function fileIssue(config: MachineConfig, key: string, file: string, error: unknown): Problem {
  if (!(error instanceof QemuError)) throw error;
  const { cause, code, hint } = error;
  if (cause === undefined && code === 'QEMU_NOT_PERMITTED') return issueOf(config, key, error);
  if (isNotFound(cause)) return issueAt(config, key, `${key} "${file}" does not exist`);
  const issue = issueAt(config, key, `${key} "${file}" cannot be read${reasonOf(cause)}`, hint);
  return code === 'QEMU_NOT_PERMITTED' ? { ...issue, code } : issue;
}
