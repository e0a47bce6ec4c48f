import { messageOf } from '../../../../base/text.ts';
import { pause, resume } from '../../../../machine/change/change-state.ts';
import { withAnyMonitor } from '../../../../machine/control/control-port.ts';
import { describeStop } from '../../../../machine/stop/stop-plan.ts';
import { readTail } from '../../../../system/files/log/log-file.ts';
import { printableCell } from '../../../output/printable.ts';
import type { Context } from '../../../run/context.ts';
import type { Command } from './view.ts';

/** Gives the terminal to something else, and takes it back. */
export interface Terminal {
  readonly away: () => void;
  readonly back: () => void;
}

const TIMEOUT_MS = 10_000;

/** Runs what a key asked for. Returns what there is to say. Never throws. */
export async function runCommand(
  context: Context,
  command: Exclude<Command, { readonly kind: 'quit' }>,
  terminal: Terminal,
): Promise<string | undefined> {
  try {
    return await RUN[command.kind](context, command.name, terminal);
  } catch (error) {
    return printableCell(`${command.name}: ${messageOf(error)}`);
  }
}

type Action = (context: Context, name: string, terminal: Terminal) => Promise<string | undefined>;

const RUN: Readonly<Record<Exclude<Command['kind'], 'quit'>, Action>> = {
  console: async (context, name, { away, back }) => {
    away();
    try {
      const { run } = await import('../../guest/console.ts');
      await run(context, { id: name });
    } finally {
      back();
    }
    return undefined;
  },
  stop: async (context, name) => {
    const fleet = context.fleet();
    const { rung, seconds, outcome } = await fleet.stop(fleet.get(name), { signal: context.signal });
    return outcome === 'not-running' ? `${name}: not running` : `${name}: ${describeStop(rung, seconds)}`;
  },
  pause: async (context, name) => {
    const fleet = context.fleet();
    const target = fleet.get(name);
    const { signal } = context;
    const [status] = await fleet.statusMany([target]);
    const isPaused = status?.ok === true && status.value.state === 'paused';
    const { outcome, state } = await withAnyMonitor(fleet.host, target, { timeoutMs: TIMEOUT_MS, signal }, (client) =>
      (isPaused ? resume : pause)({ client, target, timeoutMs: TIMEOUT_MS, signal }),
    );
    return `${name}: ${outcome} (${state})`;
  },
  log: async (context, name) => {
    const { files } = context.fleet().get(name);
    const lines = readTail(files.log, 0, 4096).trimEnd().split('\n');
    return printableCell(`${name}: ${lines.at(-1) ?? ''}`);
  },
  vnc: async (context, name) => {
    const fleet = context.fleet();
    const [status] = await fleet.statusMany([fleet.get(name)]);
    const vnc = status?.ok === true ? status.value.vnc : undefined;
    if (!vnc) return `${name}: no VNC`;
    return `${name}: ${vnc.port === undefined ? vnc.host : `${vnc.host}:${vnc.port}`}`;
  },
};
