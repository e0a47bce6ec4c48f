import { QemuError } from '../../../../base/errors.ts';
import { readSecret } from '../../../input/ask-secret.ts';
import type { AgentAnswer, AgentCall } from './agent-command.ts';

/** `time`: the clock of the guest. `time set`: sets it to that of the host. */
export async function time({ agent, target, context, words }: AgentCall): Promise<AgentAnswer> {
  const { signal } = context;
  const [word] = words;
  if (word !== undefined && word !== 'set') {
    throw new QemuError('QEMU_USAGE', `time takes nothing or "set", not "${word}"`);
  }
  if (word === 'set') await agent.setTime(new Date(), { signal, timeoutMs: CLOCK_MS });
  const now = await agent.time({ signal });
  const offsetSeconds = Math.round(now.getTime() - Date.now()) / 1000;
  const ahead = `${Math.abs(offsetSeconds)} s ${offsetSeconds < 0 ? 'behind' : 'ahead of'} the host`;
  const text = `${target.longName}: ${now.toISOString()}, ${ahead}`;
  return { json: { time: now.toISOString(), offsetSeconds, outcome: word === 'set' ? 'set' : 'read' }, text };
}

/** An agent that sets the clock also sets that of the hardware, by a program. */
const CLOCK_MS = 15_000;

/** `freeze`: keeps the guest from writing. */
export async function freeze({ agent, target, context }: AgentCall): Promise<AgentAnswer> {
  const count = await agent.freeze(undefined, { signal: context.signal });
  const { longName } = target;
  const text = `${longName}: ${count} file system${count === 1 ? '' : 's'} frozen until: qemu-init agent ${longName} thaw`;
  return { json: { outcome: 'frozen', frozen: count }, text };
}

/** `thaw`: lets it write again. */
export async function thaw({ agent, target, context }: AgentCall): Promise<AgentAnswer> {
  const count = await agent.thaw({ signal: context.signal, timeoutMs: THAW_MS });
  const text = count === 0 ? 'nothing was frozen' : `${count} file system${count === 1 ? '' : 's'} thawed`;
  return { json: { outcome: 'thawed', frozen: count }, text: `${target.longName}: ${text}` };
}

/** What was held back is written now. */
const THAW_MS = 15_000;

const MODES = { powerdown: 'shut down', reboot: 'reboot', halt: 'halt' } as const;

/** `shutdown`: asks the guest to go down, and does not wait for it. */
export async function shutdown({ agent, target, context, words }: AgentCall): Promise<AgentAnswer> {
  const [mode = 'powerdown'] = words;
  if (!isMode(mode)) {
    throw new QemuError('QEMU_USAGE', `shutdown takes ${Object.keys(MODES).join(', ')}, not "${mode}"`);
  }
  await agent.shutdown(mode, { signal: context.signal });
  const text = `${target.longName}: the guest was asked to ${MODES[mode]}`;
  return { json: { outcome: 'asked', mode }, text };
}

function isMode(word: string): word is keyof typeof MODES {
  return Object.hasOwn(MODES, word);
}

/** `passwd USER`: sets a password, which is read from the terminal or standard input. */
export async function passwd({ agent, target, context, words, crypted }: AgentCall): Promise<AgentAnswer> {
  const [user = ''] = words;
  const { signal } = context;
  const password = await readSecret(`Password of ${user} in ${target.longName}`, signal);
  await agent.setUserPassword(user, password, { crypted, signal, timeoutMs: PASSWORD_MS });
  return { json: { outcome: 'set', user }, text: `${target.longName}: the password of ${user} is set` };
}

/** The agent runs chpasswd(8). */
const PASSWORD_MS = 15_000;
