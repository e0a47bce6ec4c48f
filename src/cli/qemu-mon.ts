import { QemuError } from '../base/errors.ts';
import type { Tool } from './help/tool.ts';
import type { Context } from './run/context.ts';
import { runTool } from './run/run-tool.ts';

interface Arguments {
  readonly id: string;
  readonly rest?: readonly string[];
  readonly qmp?: boolean;
  readonly events?: boolean;
  readonly readOnly?: boolean;
}

const TOOL: Tool = {
  command: '$0 <id> [rest..]',
  usage: ['qemu-mon [--qmp] ID [options]', 'qemu-mon --events ID [EVENT...]'],
  describe:
    'Connects the terminal to the monitor of a machine; leave with Ctrl-]. Without a terminal, reads one command per line from stdin.',
  options: (parser) =>
    parser
      .positional('id', { type: 'string', demandOption: true, describe: 'Short or long name, or path of a cfg file' })
      .positional('rest', { type: 'string', array: true, describe: 'Names of events, with --events (default: all)' })
      .option('qmp', { type: 'boolean', describe: 'Start a shell for QMP commands' })
      .option('events', { type: 'boolean', describe: 'Print events as JSON lines until interrupted' })
      .option('read-only', { type: 'boolean', describe: 'Refuse commands that change the machine' })
      .conflicts('qmp', 'events'),
  examples: ['qemu-mon web', 'qemu-mon --events web BLOCK_JOB_COMPLETED SHUTDOWN'],
  manual: 'qemu-mon(1)',
};

/** The tool `qemu-mon`: a lasting monitor session. Returns the exit status. */
export async function main(argv: readonly string[]): Promise<number> {
  return runTool('qemu-mon', argv, async (handle) => {
    const { parseTool } = await import('./run/parse-tool.ts');
    return parseTool('qemu-mon', argv, TOOL, (args) => handle(run, args));
  });
}

async function run(context: Context, args: Arguments): Promise<number> {
  const target = await context.fleet().settled(args.id);
  const names = args.rest ?? [];
  const readOnly = args.readOnly === true;
  if (args.events === true) return (await import('./mon/events.ts')).runEvents(context, target, names);
  if (names.length > 0) throw new QemuError('QEMU_USAGE', `Unexpected argument "${names[0]}"`);
  if (args.qmp === true) return (await import('./mon/qmp-shell.ts')).runQmpShell(context, target, readOnly);
  if (!process.stdin.isTTY) return (await import('./mon/pipe-session.ts')).runPipe(context, target, readOnly);
  if (readOnly) return (await import('./mon/hmp-shell.ts')).runHmpShell(context, target, true);
  return (await import('./mon/terminal-session.ts')).runTerminal(context, target);
}
