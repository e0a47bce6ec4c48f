import type { ExportFormat } from '../../../provision/export/format.ts';
import type { Context } from '../../run/context.ts';

/** Prints a machine as another program defines it. */
export async function run(
  context: Context,
  { id, format }: { readonly id: string; readonly format: ExportFormat },
): Promise<number> {
  const { output } = context;
  const fleet = context.fleet();
  const target = await fleet.settled(id);
  const { text, lost } = await fleet.export(target, format);
  for (const { key, reason } of lost) output.note('warning', `${target.longName}: ${key} is not exported: ${reason}`);
  if (output.json) output.document([{ name: target.longName, format, text, lost }]);
  else output.raw(text);
  return 0;
}
