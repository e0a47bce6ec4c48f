import type { Argv } from 'yargs';
import type { Command } from '../help/command.ts';
import { showDashes } from './lone-dash.ts';
import type { Handle } from './run-tool.ts';

/** Has the parser know a command with its verbs. Its code is loaded when it is called. */
export function addCommand(parser: Argv<object>, command: Command, handle: Handle): void {
  parser.command({
    command: command.command,
    describe: command.describe,
    builder: (sub) => {
      for (const verb of command.verbs ?? []) addCommand(sub, verb, handle);
      return command.options?.(sub) ?? sub;
    },
    handler: async (args) => {
      const loaded = await command.load?.();
      if (loaded) await handle(loaded.run, showDashes(args));
    },
  });
}
