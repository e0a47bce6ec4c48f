import { join, resolve } from 'node:path';
import { QemuError } from '../../../base/errors.ts';
import { familiesOf } from '../../../metrics/families.ts';
import { renderFamilies } from '../../../metrics/prometheus.ts';
import type { MachineSample } from '../../../metrics/sample.ts';
import { sampleMachines } from '../../../metrics/sampler.ts';
import { isThere } from '../../../system/files/files.ts';
import { writeFileAtomic } from '../../../system/files/write-file.ts';
import { trustPath } from '../../../system/trust/trusted-path.ts';
import type { Context } from '../../run/context.ts';
import { type SelectionArguments, select } from '../../shared/selection.ts';

/** Name in the folder of node_exporter's textfile collector. */
const FILE_NAME = 'qemu.prom';

/** Prints what machines use as metrics of Prometheus, or writes them for node_exporter. */
export async function run(
  context: Context,
  args: SelectionArguments & { readonly textfile?: string },
): Promise<number> {
  const fleet = context.fleet();
  const chosen = args.ids?.length ? args : { ...args, all: true };
  const selection = select(context, chosen, () => fleet.listWithRunning());
  const [unknown] = selection.unknown;
  if (unknown) throw unknown.error;
  const began = performance.now();
  const samples = await sampleMachines(fleet, selection.targets);
  const families = familiesOf(samples, { seconds: (performance.now() - began) / 1000 });
  if (args.textfile !== undefined) {
    writeTextfile(resolve(args.textfile), renderFamilies(families));
    return 0;
  }
  if (context.output.json) context.output.document(samples.map(documentOf));
  else context.output.raw(renderFamilies(families));
  return 0;
}

function documentOf({
  name,
  shortName,
  state,
  saved,
  os,
  machineType,
  uuid,
  vcpus,
  memoryBytes,
  running,
}: MachineSample): object {
  return { name, shortName, state, saved, os, machineType, uuid, vcpus, memoryBytes, running };
}

/**
 * Its readers see the old text or the new one, and everybody may read it: node_exporter has a user of its own.
 *
 * @throws {QemuError} `QEMU_IO` when there is no such folder.
 */
function writeTextfile(dir: string, text: string): void {
  if (!isThere(dir)) throw new QemuError('QEMU_IO', `There is no folder "${dir}"`);
  const path = join(dir, FILE_NAME);
  trustPath(path);
  writeFileAtomic(path, text, 0o644);
}
