import { joinWords } from '../../../config/text/shell-words.ts';
import { exportDomain } from '../../../provision/export/export-machine.ts';
import type { ExportFormat } from '../../../provision/export/format.ts';
import type { ExportLoss } from '../../../provision/export/libvirt.ts';
import type { Context } from '../../run/context.ts';

/** Prints a machine as another program defines it. */
export async function run(
  context: Context,
  { id, format }: { readonly id: string; readonly format: ExportFormat },
): Promise<number> {
  const { output } = context;
  const fleet = context.fleet();
  const target = fleet.get(id);
  const { text, lost } =
    format === 'libvirt' ? exportDomain(fleet.host, fleet.config(target)) : await command(context, id);
  for (const { key, reason } of lost) output.note('warning', `${target.longName}: ${key} is not exported: ${reason}`);
  if (output.json) output.document([{ name: target.longName, format, text, lost }]);
  else output.raw(text);
  return 0;
}

/** A script with one option a line. */
async function command(context: Context, id: string): Promise<{ text: string; lost: readonly ExportLoss[] }> {
  const fleet = context.fleet();
  const { wrapper, binary, options } = await fleet.commandLine(fleet.get(id));
  const lines = [[...wrapper, binary], ...options.map(({ args }) => args)].map(joinWords);
  return { text: `#!/bin/sh\nexec ${lines.join(' \\\n  ')}\n`, lost: [] };
}
