import type { Argv } from 'yargs';
import { QemuError } from '../errors.ts';
import { withControl } from '../machine/monitor-access.ts';
import { findHmpError } from '../qmp/hmp.ts';
import type { Context } from './context.ts';
import { printQmp } from './print-qmp.ts';
import { isAssignment, parseQmpRequest } from './qmp-arguments.ts';
import { type Handle, runTool } from './run-tool.ts';

interface Arguments {
  readonly words: readonly string[];
  readonly command?: string;
  readonly qmp?: string;
  readonly timeout: string;
}

/** The tool `qemu-cmd`: one monitor command and its answer. Returns the exit status. */
export async function main(argv: readonly string[]): Promise<number> {
  return runTool('qemu-cmd', argv, async (handle) => {
    const { parseArguments } = await import('./parse-arguments.ts');
    return parseArguments('qemu-cmd', argv, (parser) => define(parser, handle));
  });
}

function define(parser: Argv<object>, handle: Handle): Argv<object> {
  return parser.command<object>({
    command: '$0 [words..]',
    describe: 'Sends one command to the monitor of a machine and prints its answer.',
    builder: (sub) =>
      sub
        .usage(
          'qemu-cmd -c "COMMAND" ID\nqemu-cmd -q COMMAND [KEY=VALUE…] ID\n\nSends one monitor command and prints its answer.',
        )
        .positional('words', { type: 'string', array: true, describe: 'The machine, and KEY=VALUE arguments of -q' })
        .option('command', {
          alias: 'c',
          type: 'string',
          requiresArg: true,
          describe: 'A command of the human monitor (HMP)',
        })
        .option('qmp', { alias: 'q', type: 'string', requiresArg: true, describe: 'A QMP command, or a JSON object' })
        .option('timeout', {
          type: 'string',
          requiresArg: true,
          default: '10',
          describe: 'Seconds to wait for the answer',
        })
        .example('qemu-cmd -c "info status" web', '')
        .example('qemu-cmd -q query-status web', '')
        .example('qemu-cmd -q device_add driver=virtio-rng-pci id=rng2 web', ''),
    handler: (args) => handle(run, args),
  });
}

async function run(context: Context, args: Arguments): Promise<number> {
  const words = args.words ?? [];
  const ids = words.filter((word) => !isAssignment(word));
  const assignments = words.filter(isAssignment);
  const [id] = ids;
  if (id === undefined) throw new QemuError('QEMU_USAGE', 'No machine was given', { hint: 'see: qemu-cmd --help' });
  if (ids.length > 1)
    throw new QemuError('QEMU_USAGE', `"${ids[1]}" is one word too many`, { hint: 'put the command in quotes' });
  if ((args.command === undefined) === (args.qmp === undefined)) {
    throw new QemuError('QEMU_USAGE', 'One of -c and -q is needed', { hint: 'see: qemu-cmd --help' });
  }
  if (!/^\d{1,7}(\.\d+)?$/.test(args.timeout))
    throw new QemuError('QEMU_USAGE', `--timeout "${args.timeout}" is no number`);
  const timeoutMs = Number(args.timeout) * 1000;
  return args.qmp === undefined
    ? runHmp(context, id, args.command ?? '', assignments, timeoutMs)
    : runQmp(context, id, args.qmp, assignments, timeoutMs);
}

async function runHmp(
  context: Context,
  id: string,
  command: string,
  assignments: readonly string[],
  timeoutMs: number,
): Promise<number> {
  if (assignments.length > 0) throw new QemuError('QEMU_USAGE', `"${assignments[0]}" is only for -q`);
  const { output, signal } = context;
  const fleet = context.fleet();
  const target = fleet.get(id);
  const text = await withControl(fleet.host, target, { timeoutMs, signal }, (client) =>
    client.hmp(command, { timeoutMs, signal }),
  );
  const refusal = findHmpError(text);
  if (output.json) output.document([{ name: target.longName, command, output: text, ok: refusal === undefined }]);
  else output.raw(text === '' || text.endsWith('\n') ? text : `${text}\n`);
  return refusal === undefined ? 0 : 1;
}

async function runQmp(
  context: Context,
  id: string,
  text: string,
  assignments: readonly string[],
  timeoutMs: number,
): Promise<number> {
  const { output, signal } = context;
  const request = parseQmpRequest(text, assignments);
  const fleet = context.fleet();
  const answer = await withControl(fleet.host, fleet.get(id), { timeoutMs, signal }, (client) =>
    client.executeRaw(request.command, request.args, { timeoutMs, signal }),
  );
  output.raw(`${printQmp(answer)}\n`);
  return 0;
}
