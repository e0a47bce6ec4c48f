import type { MachineRef } from '../../machine/context.ts';
import { portsOf, withHumanMonitor } from '../../machine/control/control-port.ts';
import { findHmpError } from '../../qmp/hmp.ts';
import { readLines } from '../input/stdin-lines.ts';
import { describeError } from '../output/report.ts';
import type { Context } from '../run/context.ts';
import { exitCodeOf, worst } from '../run/exit-code.ts';
import { isHmpQuery, refused } from './read-only.ts';

const ANSWER_MS = 60_000;

/**
 * Runs one HMP command per line of stdin. A command refused by QEMU or by `--read-only` does not keep the next from
 * being tried.
 *
 * @returns the worst status of the lines.
 * @throws {QemuError} `QEMU_NOT_RUNNING`, even without any lines.
 */
export async function runPipe(context: Context, target: MachineRef, readOnly: boolean): Promise<number> {
  const { output, signal } = context;
  const { host } = context.fleet();
  portsOf(target);
  const codes: number[] = [];
  for await (const command of readLines(signal)) {
    if (readOnly && !isHmpQuery(command)) {
      const error = refused(command);
      output.note('error', describeError(error, output.debug));
      codes.push(exitCodeOf(error));
      continue;
    }
    const text = await withHumanMonitor(host, target, { timeoutMs: ANSWER_MS, signal }, (client) =>
      client.hmp(command, { timeoutMs: ANSWER_MS, signal }),
    );
    await output.paced(text === '' || text.endsWith('\n') ? text : `${text}\n`, signal);
    if (findHmpError(text, command) !== undefined) codes.push(1);
    if (command === 'quit' || command === 'q') break;
  }
  return worst(codes);
}
