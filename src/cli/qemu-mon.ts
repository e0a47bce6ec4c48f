import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Duplex } from 'node:stream';
import type { Argv } from 'yargs';
import { QemuError } from '../errors.ts';
import type { Target } from '../machine/host.ts';
import { type MonitorPorts, monitorPorts, portAddress, withControl } from '../machine/monitor-access.ts';
import { findHmpError } from '../qmp/hmp.ts';
import { openStream } from '../qmp/transport.ts';
import type { Context } from './context.ts';
import { type Handle, runTool } from './run-tool.ts';
import { attach } from './terminal.ts';

/** The tool `qemu-mon`: a lasting monitor session. Returns the exit status. */
export async function main(argv: readonly string[]): Promise<number> {
  return runTool('qemu-mon', argv, async (handle) => {
    const { parseArguments } = await import('./parse-arguments.ts');
    return parseArguments('qemu-mon', argv, (parser) => define(parser, handle));
  });
}

function define(parser: Argv<object>, handle: Handle): Argv<object> {
  return parser.command<object>({
    command: '$0 <id>',
    describe: 'Joins the terminal to the monitor of a machine.',
    builder: (sub) =>
      sub
        .usage(
          'qemu-mon ID\n\nJoins the terminal to the monitor of a machine; leave with Ctrl-].\nWithout a terminal: one command a line from stdin.',
        )
        .positional('id', {
          type: 'string',
          demandOption: true,
          describe: 'Short or long name, or path of a cfg file',
        }),
    handler: (args) => handle(run, args),
  });
}

async function run(context: Context, args: { readonly id: string }): Promise<number> {
  const target = context.fleet().get(args.id);
  return process.stdin.isTTY ? runTerminal(context, target) : runPipe(context, target);
}

async function runTerminal(context: Context, target: Target): Promise<number> {
  const { output, signal } = context;
  const ports = monitorPorts(context.fleet().host, target);
  if (ports.monitor === undefined) {
    throw new QemuError('QEMU_QMP_CONNECT', `Machine "${target.longName}" has no monitor port`, {
      hint: `use qemu-cmd, which does without: qemu-cmd -c "info status" ${target.longName}`,
    });
  }
  output.note('info', `Monitor of ${target.longName}. Leave with Ctrl-]; "quit" ends the machine.`);
  const stream = await openMonitor(target, ports, ports.monitor, signal);
  const why = await attach(stream, signal);
  output.note('info', why === 'closed' ? '\nThe machine hung up.' : '\nLeft the monitor.');
  return 0;
}

/** A monitor that is free greets within milliseconds. */
const GREETING_MS = 1_500;

/**
 * The first of the two loopback addresses that greets. A monitor serves one client at a time and lets others wait in
 * silence.
 */
async function openMonitor(target: Target, ports: MonitorPorts, port: number, signal: AbortSignal): Promise<Duplex> {
  let failure: unknown;
  for (const host of ['127.0.0.1', '::1']) {
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(GREETING_MS)]);
    let stream: Duplex | undefined;
    try {
      stream = await openStream(portAddress(target, ports, port, host), { retry: false, signal: deadline });
      await once(stream, 'readable', { signal: deadline });
      return stream;
    } catch (error) {
      stream?.destroy();
      if (signal.aborted) throw error;
      failure ??= error;
    }
  }
  throw new QemuError('QEMU_TIMEOUT', `The monitor port ${port} of "${target.longName}" does not answer`, {
    cause: failure,
    hint: 'somebody else holds it: a monitor serves one client at a time; qemu-cmd has a port of its own',
  });
}

const ANSWER_MS = 60_000;

/** One command a line. A command that is refused does not keep the next from being tried. */
async function runPipe(context: Context, target: Target): Promise<number> {
  const { output, signal } = context;
  const { host } = context.fleet();
  let code = 0;
  for await (const line of createInterface({ input: process.stdin, signal })) {
    const command = line.trim();
    if (command === '' || command.startsWith('#')) continue;
    const text = await withControl(host, target, { timeoutMs: ANSWER_MS, signal }, (client) =>
      client.hmp(command, { timeoutMs: ANSWER_MS, signal }),
    );
    output.raw(text === '' || text.endsWith('\n') ? text : `${text}\n`);
    if (findHmpError(text) !== undefined) code = 1;
    if (command === 'quit' || command === 'q') break;
  }
  return code;
}
