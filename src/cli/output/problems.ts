import { hasErrors, type Problem } from '../../base/problem.ts';
import type { Output } from './output.ts';

/** Shows what a look at the host found. Returns the exit status: 1 when there is an error; warnings alone are 0. */
export function showProblems(output: Output, problems: readonly Problem[]): number {
  if (output.json) output.document(problems.map(documentOf));
  else if (problems.length === 0) output.line('no problem found');
  else for (const line of textsOf(problems)) output.line(line);
  return hasErrors(problems) ? 1 : 0;
}

function documentOf({ severity, machine, message, detail, hint }: Problem): Readonly<Record<string, unknown>> {
  return { severity, machine, title: message, detail, fix: hint };
}

/** What is done about several of a kind by one thing is said once. */
function textsOf(problems: readonly Problem[]): string[] {
  const said = new Set<string>();
  return problems.map(({ severity, machine, message, detail, hint }) => {
    const same = `${message}\n${hint}`;
    const fix = said.has(same) ? '' : `\n  fix: ${hint}`;
    said.add(same);
    return `${severity}: ${machine === undefined ? '' : `${machine}: `}${message}\n  ${detail}${fix}`;
  });
}
