import type { Tool } from '../help/tool.ts';
import { parseArguments } from './parse-arguments.ts';
import { isHelp } from './words.ts';

/** Parses the command line of a tool that does one thing, and does it; or prints its help. @throws as {@link parseArguments} */
export async function parseTool(
  name: string,
  argv: readonly string[],
  tool: Tool,
  run: (args: object) => Promise<void>,
): Promise<void> {
  if (isHelp(argv)) {
    const [{ helpWidth }, { helpOnTool }] = await Promise.all([import('../help/layout.ts'), import('../help/tool.ts')]);
    process.stdout.write(helpOnTool(tool, helpWidth(process.stdout.columns)));
    return;
  }
  const { command, describe, options: builder } = tool;
  await parseArguments(name, argv, (parser) =>
    parser.command<object>({ command, describe, builder, handler: (args) => run(args) }),
  );
}
