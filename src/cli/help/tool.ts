import type { Argv } from 'yargs';
import { commonOptions, type Entry, fill, HELP_OPTION, list, optionEntry, sections } from './layout.ts';
import { positionals, recordTable } from './option-table.ts';

/** A tool that does one thing, for its parser and its help. */
export interface Tool {
  /** In the syntax of yargs: `$0 <id> [rest..]`. */
  readonly command: string;
  /** The ways to call it. */
  readonly usage: readonly string[];
  readonly describe: string;
  readonly options: (parser: Argv<object>) => Argv<object>;
  readonly examples: readonly string[];
  readonly manual: string;
}

/** Options of all tools that do nothing in one that neither starts nor stops machines. */
export const NOT_FOR_LOOKING: readonly string[] = ['verbose', 'direct'];

/** The help on such a tool, in lines of at most `width` characters. Pure. */
export function helpOnTool(tool: Tool, width: number): string {
  const table = recordTable(tool.options);
  return sections([
    tool.usage.join('\n'),
    fill(tool.describe, 0, width),
    list(
      'Words',
      positionals(tool.command).flatMap(({ key, name }): Entry[] =>
        table.positionals[key] ? [[name, table.positionals[key]]] : [],
      ),
      width,
    ),
    list('Options', [...table.options.map(optionEntry), HELP_OPTION], width),
    list(
      'Examples',
      tool.examples.map((line) => [line, '']),
      width,
    ),
    ...commonOptions(width, NOT_FOR_LOOKING),
    `Manual: ${tool.manual}`,
  ]);
}
