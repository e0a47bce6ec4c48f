import type { MoveResult } from '../../../../machine/disks/move-result.ts';
import type { MachineDisks } from '../../../../machine/library/machine-disks.ts';
import type { Context } from '../../../run/context.ts';
import { type WorkOptions, workOn } from '../../../shared/long-work.ts';

/** One disk of one machine. */
export interface DiskArguments {
  readonly id: string;
  readonly disk: string;
}

interface CopyArguments extends DiskArguments {
  readonly file: string;
  readonly format?: 'qcow2' | 'raw';
  readonly rate?: number;
}

/** Copies a disk into a new file, where it then goes on. */
export function mirror(context: Context, { id, disk, file, format, rate }: CopyArguments): Promise<number> {
  return copy(context, id, (disks, options) => disks.mirror(disk, file, { ...options, format, rate }));
}

interface ConvertArguments extends DiskArguments {
  readonly format: 'qcow2' | 'raw';
  readonly file?: string;
  readonly rate?: number;
}

/** The same into another format. */
export function convert(context: Context, { id, disk, format, file, rate }: ConvertArguments): Promise<number> {
  return copy(context, id, (disks, options) => disks.convert(disk, format, { ...options, file, rate }));
}

/** Writes the overlays of a disk into the image below them. */
export function commit(context: Context, { id, disk }: DiskArguments): Promise<number> {
  return copy(context, id, (disks, options) => disks.commit(disk, options));
}

function copy(
  context: Context,
  id: string,
  work: (disks: MachineDisks, options: WorkOptions) => Promise<MoveResult>,
): Promise<number> {
  return workOn(context, id, ({ disks }, options) => work(disks, options), {
    text: (name, result) => `${name}: ${describe(result)}`,
    json: ({ key, from, to, format, removed, seconds }) => ({ key, from, to, format, removed, seconds }),
  });
}

function describe({ key, from, to, format, removed }: MoveResult): string {
  if (from === to) return `${key} is a single image already`;
  const rest =
    removed.length > 0 ? `removed ${removed.map((file) => `"${file}"`).join(', ')}` : `"${from}" is left as it was`;
  return `${key} is "${to}" (${format}) now; ${rest}`;
}
