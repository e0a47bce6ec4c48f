import { QemuError, QmpRefusedError } from '../../../../base/errors.ts';
import { nearest } from '../../../../base/text.ts';
import { MachineAgent } from '../../../../machine/library/machine-agent.ts';
import type { Context } from '../../../run/context.ts';
import { present } from '../../../shared/many.ts';
import { select } from '../../../shared/selection.ts';
import { freeze, passwd, shutdown, thaw, time } from './act-commands.ts';
import type { AgentAnswer, AgentArguments, AgentCall } from './agent-command.ts';
import { AGENT_COMMANDS, type AgentCommandName, wordsAllowed } from './commands.ts';
import { exec } from './exec.ts';
import { get, put } from './files.ts';
import { addresses, fileSystems, info, ping, users } from './look-commands.ts';

interface Arguments extends AgentArguments {
  readonly id: string;
  readonly command: string;
  readonly words: readonly string[];
  /** Words after `--`. */
  readonly program?: readonly string[] | undefined;
}

const RUN: Readonly<Record<AgentCommandName, (call: AgentCall) => Promise<AgentAnswer>>> = {
  ping,
  info,
  addresses,
  users,
  fs: fileSystems,
  time,
  freeze,
  thaw,
  shutdown,
  exec,
  get,
  put,
  passwd,
};

/** Talks to the agent in a guest. */
export async function run(context: Context, args: Arguments): Promise<number> {
  const { command } = args;
  if (!isCommand(command)) throw unknownCommand(command);
  const words = [...args.words, ...(args.program ?? [])];
  checkWords(command, words, args);
  const fleet = context.fleet();
  const selection = select(context, { ids: [args.id] }, () => []);
  const outcomes = await fleet.each(selection.targets, 1, async (target) => {
    const agent = new MachineAgent(fleet.host, target);
    try {
      return await RUN[command]({ ...args, words, context, target, agent });
    } catch (error) {
      throw explained(error, target.longName);
    } finally {
      agent.close();
    }
  });
  return present<AgentAnswer>(context, selection, outcomes, {
    text: (_, { text }) => text,
    json: ({ json }) => ({ command, ...json }),
    code: ({ code = 0 }) => code,
  });
}

function isCommand(word: string): word is AgentCommandName {
  return Object.hasOwn(AGENT_COMMANDS, word);
}

function unknownCommand(word: string): QemuError {
  const names = Object.keys(AGENT_COMMANDS);
  const near = nearest(word, names);
  const hint = near === undefined ? `it must be one of: ${names.join(', ')}` : `did you mean "${near}"?`;
  return new QemuError('QEMU_USAGE', `The agent has no command "${word}"`, { hint });
}

function checkWords(command: AgentCommandName, words: readonly string[], { stdin, timeout, crypted }: Arguments): void {
  const { words: usage } = AGENT_COMMANDS[command];
  const { least, most } = wordsAllowed(usage);
  const hint = `qemu-init agent ID ${command}${usage === '' ? '' : ` ${usage}`}`;
  if (words.length < least) throw new QemuError('QEMU_USAGE', `${command} needs more words`, { hint });
  if (words.length > most) throw new QemuError('QEMU_USAGE', `Unexpected argument "${words[most] ?? ''}"`, { hint });
  if (command !== 'exec' && (stdin === true || timeout !== undefined)) {
    throw new QemuError('QEMU_USAGE', '--stdin and --timeout are for exec only');
  }
  if (command !== 'passwd' && crypted === true) throw new QemuError('QEMU_USAGE', '--crypted is for passwd only');
}

/** What an agent refuses while file systems are frozen has one remedy, which it does not name. */
function explained(error: unknown, name: string): unknown {
  if (!(error instanceof QmpRefusedError) || !/frozen/.test(error.desc)) return error;
  return new QemuError(error.code, error.message, { cause: error.cause, hint: `qemu-init agent ${name} thaw` });
}
