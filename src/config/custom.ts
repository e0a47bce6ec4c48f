import type { Problem } from '../base/problem.ts';
import { quote } from '../base/text.ts';
import { checkCustom } from './custom-options.ts';
import { findKey } from './keys.ts';
import type { IniLine } from './text/ini.ts';
import { joinWords, splitWords } from './text/shell-words.ts';
import type { CustomLine } from './types.ts';

/** Splits the lines of `[custom]` into arguments; what cannot be one is reported and left out. */
export function parseCustom(lines: readonly IniLine[], path: string, issues: Problem[]): CustomLine[] {
  return lines.flatMap(({ text, line }) => {
    const origin = { file: path, line };
    const report = (message: string, hint?: string, severity: Problem['severity'] = 'error'): void => {
      issues.push({ ...origin, message, severity, hint });
    };
    const args = readArgs(text, report);
    return args ? [{ args, origin }] : [];
  });
}

/** Writes a line as {@link parseCustom} reads it. */
export function renderCustom(line: CustomLine): string {
  return joinWords(line.args);
}

function readArgs(
  text: string,
  report: (message: string, hint?: string, severity?: Problem['severity']) => void,
): readonly string[] | undefined {
  let args: readonly string[];
  try {
    args = splitWords(text);
  } catch (error) {
    report(`${quote(text)} cannot be split into words`, error instanceof Error ? error.message : undefined);
    return undefined;
  }
  const [option = ''] = args;
  if (!/^--?[A-Za-z0-9]/.test(option)) {
    const key = text.split('=', 1)[0]?.trim() ?? '';
    const hint = findKey(key) ? `move ${key}= above [custom]` : 'write one option per line, as on the command line';
    report(`${quote(text)} is not a QEMU option: it does not start with "-"`, hint);
    return undefined;
  }
  let isUsable = true;
  for (const { option: found, severity, problem, hint } of checkCustom(args)) {
    const frame = severity === 'error' ? 'cannot be used in [custom]:' : 'in [custom]';
    report(`${quote(found)} ${frame} ${problem}`, hint, severity);
    if (severity === 'error') isUsable = false;
  }
  if (!isUsable) return undefined;
  if (args.some((arg) => /^[#;]/.test(arg))) {
    report(
      `${quote(text)} contains what looks like a comment, which is passed to QEMU`,
      'put comments on separate lines',
      'warning',
    );
  }
  return args;
}
