import { type ErrorCode, QemuError, type QemuErrorOptions } from './errors.ts';
import type { Problem } from './problem.ts';

/**
 * A configuration that cannot be used, with all its problems at once. Code `QEMU_CONFIG_INVALID`, or the one that all its
 * errors have in common.
 */
export class ConfigError extends QemuError {
  override readonly name = 'ConfigError';
  readonly issues: readonly Problem[];

  constructor(message: string, issues: readonly Problem[], options: QemuErrorOptions = {}) {
    super(commonCode(issues), message, options);
    this.issues = issues;
  }
}

function commonCode(issues: readonly Problem[]): ErrorCode {
  const codes = new Set(issues.flatMap(({ severity, code }) => (severity === 'error' ? [code] : [])));
  const [first] = codes;
  return (codes.size === 1 ? first : undefined) ?? 'QEMU_CONFIG_INVALID';
}
