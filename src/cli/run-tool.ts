import yargs, { type Argv } from 'yargs';
import { QemuError } from '../errors.ts';
import { VERSION } from '../version.ts';
import { type Context, makeContext } from './context.ts';
import { exitCodeOf } from './exit-code.ts';
import { addCommonOptions, type CommonArguments } from './options.ts';
import { Output } from './output.ts';
import { describeError } from './report.ts';
import { abortOnSignals } from './signals.ts';

/** An action: gets what was parsed, returns the exit status. */
export type Run = (context: Context, args: never) => Promise<number>;

export interface Tool {
  readonly name: string;
  /** Adds the tool's own commands and options. `handle` is to be called by the command that was chosen. */
  readonly define: (parser: Argv<object>, handle: (run: Run, args: object) => Promise<void>) => Argv<object>;
}

/** Help text for terminals and files alike. */
const HELP_WIDTH = 100;

/** Parses, dispatches, reports. Returns the exit status; nothing in this package ends the process itself. */
export async function runTool(tool: Tool, argv: readonly string[]): Promise<number> {
  let code = 0;
  const signals = abortOnSignals();
  let output = new Output({ json: false, quiet: false, verbose: false, debug: argv.includes('--debug'), color: undefined });
  const handle = async (run: Run, args: object): Promise<void> => {
    const common = args as CommonArguments;
    output = new Output(common);
    code = await run(makeContext(common, output, signals.signal), args as never);
  };
  const parser = tool.define(
    addCommonOptions(yargs() as Argv<object>)
      .scriptName(tool.name)
      .locale('en')
      .wrap(HELP_WIDTH)
      .strict()
      .version(VERSION)
      .help()
      .alias('help', 'h')
      .parserConfiguration({
        // Names such as 007 are names.
        'parse-numbers': false,
        'parse-positional-numbers': false,
        'duplicate-arguments-array': false,
        'camel-case-expansion': true,
      })
      .exitProcess(false)
      .fail((message, error) => {
        throw error ?? new QemuError('QEMU_USAGE', message, { hint: `see: ${tool.name} --help` });
      }) as Argv<object>,
    handle,
  );
  try {
    await parser.parseAsync([...argv]);
    return code;
  } catch (error) {
    output.note('error', `${tool.name}: ${describeError(error, output.debug)}`);
    return signals.exitCode() ?? exitCodeOf(error);
  } finally {
    signals.dispose();
  }
}
