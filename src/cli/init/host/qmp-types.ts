import { TransientMachine } from '../../../machine/library/transient-machine.ts';
import { generateTypesFromMonitor } from '../../../qmp/generate/generate-from-monitor.ts';
import { writeFileAtomic } from '../../../system/files/write-file.ts';
import type { Context } from '../../run/context.ts';

interface Arguments {
  readonly binary: string;
  readonly output?: string;
}

/** Asks a QEMU without any machine for its schema, and prints types made from that. */
export async function run(context: Context, args: Arguments): Promise<number> {
  const { output, signal } = context;
  const machine = new TransientMachine({
    binary: args.binary,
    args: ['-machine', 'none', '-nodefaults', '-S'],
    name: 'schema',
  });
  try {
    await machine.launch({ signal });
    const text = await generateTypesFromMonitor(machine.qmp, { signal });
    if (args.output === undefined) output.raw(text);
    else writeFileAtomic(args.output, text, 0o644);
  } finally {
    await machine.kill();
  }
  return 0;
}
