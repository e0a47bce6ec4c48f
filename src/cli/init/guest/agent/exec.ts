import { QemuError } from '../../../../base/errors.ts';
import type { GuestExecResult } from '../../../../qmp/agent/agent-exec.ts';
import { readStdin } from '../../../input/read-stdin.ts';
import type { AgentAnswer, AgentCall } from './agent-command.ts';

/** What a shell reports for a program that a signal has ended, less its number. */
const BY_SIGNAL = 128;
/** The agent takes it in one message. */
const MOST_INPUT_BYTES = 16 * 1024 * 1024;

/** `exec`: runs a program in the guest; its output and its exit status are ours. */
export async function exec({ agent, context, words, stdin, timeout }: AgentCall): Promise<AgentAnswer> {
  const { output, signal } = context;
  const [program, ...args] = words;
  if (program === undefined)
    throw new QemuError('QEMU_USAGE', 'No program was given', { hint: 'agent ID exec -- ls /' });
  const input = stdin === true ? await readStdin(MOST_INPUT_BYTES, signal) : undefined;
  const timeoutMs = timeout === undefined ? Number.POSITIVE_INFINITY : timeout * 1000;
  const result = await agent.exec(program, args, { input, timeoutMs, signal });
  if (!output.json) {
    await output.paced(result.stdout, signal);
    output.rawError(result.stderr);
    for (const [name, isCut] of [
      ['output', result.stdoutTruncated],
      ['error output', result.stderrTruncated],
    ]) {
      if (isCut === true) output.note('warning', `the agent has cut the ${name} at 16 MiB`);
    }
  }
  return { json: document(result), code: exitCode(result) };
}

function exitCode({ exitCode: code, signal }: GuestExecResult): number {
  if (signal !== undefined) return BY_SIGNAL + (signal & 0x7f);
  // Windows has exit codes of 32 bits; one that is not 0 must not become 0.
  return code === undefined || code <= 0xff ? (code ?? 1) : code & 0xff || 1;
}

function document({
  exitCode: code,
  signal,
  stdout,
  stderr,
  stdoutTruncated,
  stderrTruncated,
}: GuestExecResult): object {
  const texts = [stdout, stderr].map((bytes) => bytes.toString('utf8'));
  const isText = [stdout, stderr].every((bytes, at) => Buffer.from(texts[at] ?? '').equals(bytes));
  const encoding = isText ? 'utf8' : 'base64';
  return {
    exitCode: code ?? null,
    signal: signal ?? null,
    encoding,
    stdout: stdout.toString(encoding),
    stderr: stderr.toString(encoding),
    stdoutTruncated,
    stderrTruncated,
  };
}
