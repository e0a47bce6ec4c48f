import type { FakeCommand } from './fake-connection.ts';
import { FakeRefusal, NO_ANSWER, refuseArguments, wrongType } from './fake-refusal.ts';

/** What QEMU 7.2.22 of Debian 12 greets with. */
export const FAKE_VERSION = {
  qemu: { micro: 22, minor: 2, major: 7 },
  package: 'Debian 1:7.2+dfsg-7+deb12u18+b3',
} as const;

/** The commands that every fake answers, as `qemu-system-x86_64 -machine none -S` 7.2.22 does, byte for byte. */
export function makeMachineCommands(): Record<string, FakeCommand> {
  let status = 'prelaunch';
  const plain: Record<string, FakeCommand> = {
    'query-status': () => ({ status, singlestep: false, running: status === 'running' }),
    'query-version': () => FAKE_VERSION,
    'query-name': () => ({}),
    'query-uuid': () => ({ UUID: '00000000-0000-0000-0000-000000000000' }),
    'query-block': () => [],
    'query-cpus-fast': () => [],
    'query-jobs': () => [],
    'query-yank': () => [],
    cont: ({ connection }) => {
      if (status !== 'running') connection.sendEvent('RESUME');
      status = 'running';
      return {};
    },
    stop: ({ connection }) => {
      if (status === 'running') connection.sendEvent('STOP');
      status = 'paused';
      return {};
    },
    system_powerdown: ({ connection }) => {
      connection.sendEvent('POWERDOWN');
      return {};
    },
    system_reset: ({ connection }) => {
      if (status === 'paused') status = 'prelaunch';
      connection.sendEvent('RESET', { guest: false, reason: 'host-qmp-system-reset' });
      return {};
    },
    quit: ({ connection, id }) => {
      connection.sendEvent('SHUTDOWN', { guest: false, reason: 'host-qmp-quit' });
      connection.sendReturn({}, id);
      connection.hangUp();
      return NO_ANSWER;
    },
  };
  const withoutArguments = Object.entries(plain).map(([name, command]): [string, FakeCommand] => [
    name,
    (call) => {
      refuseArguments(call.args);
      return command(call);
    },
  ]);
  return { ...Object.fromEntries(withoutArguments), 'human-monitor-command': ({ args }) => answerHmp(args, status) };
}

function answerHmp(args: Readonly<Record<string, unknown>>, status: string): string {
  const { 'command-line': commandLine, 'cpu-index': cpuIndex = 0, ...rest } = args;
  if (commandLine === undefined) throw new FakeRefusal('GenericError', "Parameter 'command-line' is missing");
  if (typeof commandLine !== 'string') throw wrongType('command-line', 'string');
  if (typeof cpuIndex !== 'bigint' && !Number.isInteger(cpuIndex)) throw wrongType('cpu-index', 'integer');
  refuseArguments(rest);
  if (commandLine === '') return '';
  if (commandLine !== 'info status') return `unknown command: '${commandLine}'\r\n`;
  const shown = status === 'running' || status === 'paused' ? status : `paused (${status})`;
  return `VM status: ${shown}\r\n`;
}
