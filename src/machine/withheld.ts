import type { Problem } from '../base/problem.ts';
import { callerMayRead } from '../system/trust/caller.ts';

/**
 * The issues as shown to the user for whom root works: messages quote files, so for a file that this user may not read
 * only the lines that have problems are named. See {@link callerMayRead}.
 */
export function withhold(issues: readonly Problem[]): Problem[] {
  const readable = new Map<string, boolean>();
  return issues.map((issue) => {
    const { file, line, severity, code } = issue;
    // Without a line it is about the file, not about what is in it.
    if (file === undefined || line === undefined) return issue;
    if (!readable.has(file)) readable.set(file, callerMayRead(file));
    if (readable.get(file)) return issue;
    return {
      file,
      line,
      severity,
      code,
      message: HIDDEN,
      hint: 'root, and users who may read the file, can see it',
    };
  });
}

const HIDDEN = 'The line has a problem; only users who may read the file can see it';
