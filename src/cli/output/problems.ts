import { hasErrors, type Problem } from '../../base/problem.ts';
import type { Output } from './output.ts';

/** Shows the problems of the host. Returns the exit status: 1 when there is an error; warnings alone are 0. */
export function showProblems(output: Output, problems: readonly Problem[]): number {
  if (output.json) output.document(problems.map(documentOf));
  else if (problems.length === 0) output.line('no problem found');
  else for (const line of textsOf(problems)) output.line(line);
  return hasErrors(problems) ? 1 : 0;
}

function documentOf({ severity, machine, message, detail, hint }: Problem): Readonly<Record<string, unknown>> {
  return { severity, machine, title: message, detail, fix: hint };
}

/** Prints a fix for several problems of a kind only once. */
function textsOf(problems: readonly Problem[]): string[] {
  const shown = new Set<string>();
  return problems.map(({ severity, machine, message, detail, hint }) => {
    const same = `${message}\n${hint}`;
    const fix = shown.has(same) ? '' : `\n  fix: ${hint}`;
    shown.add(same);
    return `${severity}: ${machine === undefined ? '' : `${machine}: `}${message}\n  ${detail}${fix}`;
  });
}
