import { inspect } from 'node:util';
import { ConfigError } from '../../base/config-error.ts';
import { QemuError } from '../../base/errors.ts';
import type { Problem } from '../../base/problem.ts';
import { formatIssue } from '../../config/text/issues.ts';

/** An error as text: what failed, the cause chain once, a hint. A stack for bugs and with `debug`. */
export function describeError(error: unknown, debug: boolean): string {
  if (!(error instanceof QemuError)) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return `Internal error (please report it): ${text}`;
  }
  const lines = [error.message];
  if (error instanceof ConfigError) lines.push(...error.issues.map((issue) => `  ${formatIssue(issue)}`));
  for (let cause = error.cause; cause !== undefined; cause = cause instanceof Error ? cause.cause : undefined) {
    const text = cause instanceof Error ? cause.message : inspect(cause);
    // The default reason of an AbortSignal adds nothing to the message.
    if (cause instanceof Error && cause.name === 'AbortError') continue;
    if (!lines.some((line) => line.includes(text))) lines.push(`  because: ${text}`);
    if (cause instanceof ConfigError) lines.push(...cause.issues.map((issue) => `  ${formatIssue(issue)}`));
  }
  const hint = deepestHint(error);
  if (hint !== undefined) lines.push(`  hint: ${hint}`);
  if (debug && error.stack) lines.push(error.stack);
  return lines.join('\n');
}

/** The first hint on the way from the error to its root. */
function deepestHint(error: unknown): string | undefined {
  for (let each: unknown = error; each instanceof Error; each = each.cause) {
    if (each instanceof QemuError && each.hint !== undefined) return each.hint;
  }
  return undefined;
}

/** An issue in a JSON document: always with the same members. */
export function issueDocument({ file, line, key, message, severity, hint }: Problem): object {
  return { file, line, key, message, severity, hint };
}

/** An error in a JSON document. */
export function errorDocument(error: unknown): Record<string, unknown> {
  const code = error instanceof QemuError ? error.code : 'INTERNAL';
  const message = error instanceof Error ? error.message : String(error);
  const document: Record<string, unknown> = { code, message, hint: deepestHint(error) };
  if (error instanceof ConfigError) document['issues'] = error.issues.map(issueDocument);
  return document;
}
