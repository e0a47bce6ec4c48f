import { hasErrors, type Problem } from '../../base/problem.ts';

/** What a problem has in addition to its message. */
export interface Remark {
  readonly hint?: Hint;
  /** Default: `error`. */
  readonly severity?: Problem['severity'] | undefined;
}

/** A hint, or what works it out: a function is called only while hints are shown, see {@link hintOf}. */
export type Hint = string | (() => string | undefined) | undefined;

/** Takes a problem of the value at hand; the caller of a value parser adds file, line and key. */
export type Report = (message: string, remark?: Remark) => void;

/** Longest list that is shown: a file of another kind has a problem on every line. */
const MOST_ISSUES = 100;

/**
 * The hint of the next issue. A search for the nearest name is not free, so that past the longest list that is shown no hint
 * is worked out: a file of 1 MB with nothing but unknown keys must not keep the boot waiting.
 *
 * @param before issues found so far.
 */
export function hintOf(hint: Hint, before: readonly Problem[]): string | undefined {
  if (typeof hint !== 'function') return hint;
  return before.length < MOST_ISSUES ? hint() : undefined;
}

/** An issue as one line: `/etc/qemu/web-qemu.cfg:3: Unknown key "RMA" (did you mean "RAM"?)`. */
export function formatIssue(issue: Problem): string {
  const line = issue.line === undefined ? '' : `:${issue.line}`;
  const place = issue.file === undefined ? '' : `${issue.file}${line}: `;
  const warning = issue.severity === 'warning' ? 'Warning: ' : '';
  const hint = issue.hint === undefined ? '' : ` (${issue.hint})`;
  return `${place}${warning}${issue.message}${hint}`;
}

/** `did you mean "…"?`, or nothing when there is nothing near. */
export function suggest(near: string | undefined): string | undefined {
  return near === undefined ? undefined : `did you mean "${near}"?`;
}

/** By file in the order given, then by line. A very long list is cut, and its last issue reports that. */
export function sortIssues(issues: readonly Problem[], files: readonly string[]): Problem[] {
  const sorted = issues.toSorted(
    (a, b) => files.indexOf(a.file ?? '') - files.indexOf(b.file ?? '') || (a.line ?? 0) - (b.line ?? 0),
  );
  const rest = sorted.slice(MOST_ISSUES);
  if (rest.length === 0) return sorted;
  const severity = hasErrors(rest) ? 'error' : 'warning';
  const file = rest[0]?.file ?? '';
  return [...sorted.slice(0, MOST_ISSUES), { file, message: `There are ${rest.length} more problems`, severity }];
}
