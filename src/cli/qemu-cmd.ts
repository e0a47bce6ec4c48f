import type { Argv } from 'yargs';
import { QemuError } from '../base/errors.ts';
import { splitWords } from '../config/text/shell-words.ts';
import type { MachineContext, MachineRef } from '../machine/context.ts';
import { withControl, withHumanMonitor } from '../machine/control/control-port.ts';
import { refuseFatal } from '../machine/control/fatal-command.ts';
import type { ExecuteOptions } from '../qmp/command.ts';
import { findHmpError } from '../qmp/hmp.ts';
import type { Tool } from './help/tool.ts';
import { isAssignment, parseQmpRequest } from './input/qmp-arguments.ts';
import { readNumberedLines } from './input/stdin-lines.ts';
import { printJson } from './output/print-json.ts';
import { describeError, errorDocument } from './output/report.ts';
import type { Context } from './run/context.ts';
import { exitCodeOf, worst } from './run/exit-code.ts';
import { runTool } from './run/run-tool.ts';
import { present } from './shared/many.ts';

interface Arguments {
  readonly words?: readonly string[];
  readonly all?: boolean;
  readonly command?: string;
  readonly qmp?: string;
  readonly timeout: string;
}

type TimedOptions = ExecuteOptions & { readonly timeoutMs: number };

/** One command for all chosen machines. */
interface Command {
  readonly text: string;
  /** Sends it to a machine and returns the answer as text and as data. */
  readonly send: (host: MachineContext, target: MachineRef) => Promise<Answer>;
}

/** A line of standard input that is not a command. */
interface BadLine {
  readonly text: string;
  readonly error: QemuError;
}

interface Answer {
  readonly text: string;
  readonly value: unknown;
  /** Why the monitor refused the command; undefined if it did not. */
  readonly refusal: QemuError | undefined;
}

const TOOL: Tool = {
  command: '$0 [words..]',
  usage: ['qemu-cmd -c "COMMAND" ID [options]', 'qemu-cmd -q COMMAND [KEY=VALUE...] ID [options]'],
  describe: 'Sends one command to the monitor of a machine and prints its answer.',
  options: (parser) =>
    parser
      .positional('words', { type: 'string', array: true, describe: 'Machine, and KEY=VALUE arguments of -q' })
      .option('command', {
        alias: 'c',
        type: 'string',
        requiresArg: true,
        describe: 'Command for the human monitor (HMP); -: one per line from stdin',
      })
      .option('qmp', {
        alias: 'q',
        type: 'string',
        requiresArg: true,
        describe: 'QMP command, or a JSON object; -: one per line from stdin',
      })
      .option('all', { type: 'boolean', describe: 'All running machines' })
      .option('timeout', {
        type: 'string',
        requiresArg: true,
        default: '10',
        describe: 'Seconds to wait for the answer',
      }) as Argv<object>,
  examples: [
    'qemu-cmd -c "info status" web',
    'qemu-cmd -q query-status web',
    'qemu-cmd -q balloon value=1073741824 web',
    'qemu-cmd -q object-add qom-type=throttle-group id=slow limits.bps-total=1048576 web',
    'qemu-cmd -c "info network" --all',
  ],
  manual: 'qemu-cmd(1)',
};

/** The tool `qemu-cmd`: one monitor command and its answer. Returns the exit status. */
export async function main(argv: readonly string[]): Promise<number> {
  return runTool('qemu-cmd', argv, async (handle) => {
    const { parseTool } = await import('./run/parse-tool.ts');
    return parseTool('qemu-cmd', argv, TOOL, (args) => handle(run, args));
  });
}

async function run(context: Context, args: Arguments): Promise<number> {
  const words = args.words ?? [];
  const ids = words.filter((word) => !isAssignment(word));
  const targets = choose(context, ids, args.all === true);
  if ((args.command === undefined) === (args.qmp === undefined)) {
    throw new QemuError('QEMU_USAGE', 'Give either -c or -q', { hint: 'see: qemu-cmd --help' });
  }
  if (!/^\d{1,7}(\.\d+)?$/.test(args.timeout)) {
    throw new QemuError('QEMU_USAGE', `--timeout must be a number of seconds, not "${args.timeout}"`);
  }
  const options = { timeoutMs: Number(args.timeout) * 1000, signal: context.signal };
  const assignments = words.filter(isAssignment);
  const codes: number[] = [];
  for await (const command of commands(args, assignments, options)) {
    if ('error' in command) codes.push(refuseLine(context, command));
    else codes.push(await sendToAll(context, targets, command, args.all === true));
  }
  return worst(codes);
}

function choose(context: Context, ids: readonly string[], all: boolean): MachineRef[] {
  const fleet = context.fleet();
  if (all && ids.length === 0) return fleet.listWithRunning().filter((target) => fleet.isAlive(target));
  if (all) throw new QemuError('QEMU_USAGE', 'Both --all and a machine were given');
  const [id, second] = ids;
  if (id === undefined)
    throw new QemuError('QEMU_USAGE', 'No machine was given', { hint: 'name one, see: qemu-init list' });
  if (second !== undefined) {
    throw new QemuError('QEMU_USAGE', `Unexpected argument "${second}"`, {
      hint: 'write the command in quotes after -c or -q',
    });
  }
  return [fleet.get(id)];
}

/**
 * The commands to send: the given one, or those on stdin. A line that cannot be read does not keep others from being
 * sent.
 */
async function* commands(
  args: Arguments,
  assignments: readonly string[],
  options: TimedOptions,
): AsyncGenerator<Command | BadLine> {
  const make = args.qmp === undefined ? hmpCommand : qmpCommand;
  const given = args.qmp ?? args.command ?? '';
  if (given !== '-') {
    yield make(given, assignments, options);
    return;
  }
  if (assignments.length > 0)
    throw new QemuError('QEMU_USAGE', `"${assignments[0]}" must be on the line of its command`);
  for await (const { text, number } of readNumberedLines(options.signal)) {
    try {
      const [command = '', ...words] = args.qmp === undefined || text.startsWith('{') ? [text] : splitWords(text);
      yield make(command, words, options);
    } catch (cause) {
      if (!(cause instanceof QemuError)) throw cause;
      const { code, hint } = cause;
      yield { text, error: new QemuError(code, `Cannot read line ${number} of standard input`, { cause, hint }) };
    }
  }
}

function refuseLine({ output }: Context, { text, error }: BadLine): number {
  if (output.json) output.document([{ command: text, ok: false, error: errorDocument(error) }]);
  output.note('error', describeError(error, output.debug));
  return exitCodeOf(error);
}

function hmpCommand(text: string, assignments: readonly string[], options: TimedOptions): Command {
  if (assignments.length > 0) throw new QemuError('QEMU_USAGE', `"${assignments[0]}" is only for -q`);
  return {
    text,
    send: (host, target) =>
      withHumanMonitor(host, target, options, async (monitor) => {
        refuseFatal(target, text);
        const answer = await monitor.hmp(text, options);
        return { text: answer, value: answer, refusal: hmpRefusal(text, answer) };
      }),
  };
}

function qmpCommand(text: string, assignments: readonly string[], options: TimedOptions): Command {
  const request = parseQmpRequest(text, assignments);
  return {
    text: request.command,
    send: (host, target) =>
      withControl(host, target, options, async (client) => {
        refuseFatal(target, request.command, request.args);
        const value = await client.executeRaw(request.command, request.args, options);
        return { text: `${printJson(value)}\n`, value, refusal: undefined };
      }),
  };
}

/** The human monitor prints errors like results; QMP commands throw instead. */
function hmpRefusal(command: string, answer: string): QemuError | undefined {
  const sentence = findHmpError(answer, command);
  if (sentence === undefined) return undefined;
  const [word = ''] = command.trim().split(/\s+/);
  return new QemuError('QEMU_QMP_REFUSED', `QEMU refused "${command}": ${sentence}`, {
    hint: sentence.startsWith('unknown command') ? 'see: qemu-cmd -c help ID' : `see: qemu-cmd -c "help ${word}" ID`,
  });
}

/** Sends a command to every machine and shows the answers, with `named` each below the name of its machine. */
async function sendToAll(
  context: Context,
  targets: readonly MachineRef[],
  command: Command,
  named: boolean,
): Promise<number> {
  const { output } = context;
  const fleet = context.fleet();
  const outcomes = await fleet.each(targets, targets.length, (target) => command.send(fleet.host, target));
  if (!output.json) {
    for (const outcome of outcomes) {
      if (!outcome.ok) continue;
      const { text } = outcome.value;
      if (named) output.line(`== ${outcome.target.longName} ==`);
      output.raw(text === '' || text.endsWith('\n') ? text : `${text}\n`);
    }
  }
  return present<Answer>(context, { targets, unknown: [] }, outcomes, {
    text: () => undefined,
    json: ({ value, refusal }) => ({
      command: command.text,
      output: value,
      ok: refusal === undefined,
      ...(refusal && { error: errorDocument(refusal) }),
    }),
    failed: () => ({ command: command.text, ok: false }),
    code: ({ refusal }) => (refusal === undefined ? 0 : exitCodeOf(refusal)),
  });
}
