import { QemuError } from '../../../../base/errors.ts';
import { takeScreenshot } from '../../../../machine/screen/screenshot.ts';
import { writeWhole } from '../../../../system/files/whole-file.ts';
import type { Context } from '../../../run/context.ts';
import { present } from '../../../shared/many.ts';
import { select } from '../../../shared/selection.ts';

interface Arguments {
  readonly id: string;
  readonly file?: string;
  readonly head?: string;
}

/** The picture, and where it is. */
interface Taken {
  readonly file: string | undefined;
  readonly width: number;
  readonly height: number;
  readonly sizeBytes: number;
}

const STANDARD = '-';

/** Writes a picture of the screen to a file or to standard output. */
export async function run(context: Context, args: Arguments): Promise<number> {
  const { output, signal } = context;
  const isStandard = args.file === STANDARD;
  if (isStandard && (output.json || process.stdout.isTTY)) {
    const where = output.json ? 'as JSON' : 'on a terminal';
    throw new QemuError('QEMU_USAGE', `A picture cannot be printed ${where}`, { hint: 'name a file' });
  }
  const fleet = context.fleet();
  const selection = select(context, { ids: [args.id] }, () => []);
  const outcomes = await fleet.each(selection.targets, 1, async (target): Promise<Taken> => {
    const format = args.file?.toLowerCase().endsWith('.ppm') ? 'ppm' : 'png';
    const heads = args.head === undefined ? {} : { device: 'vga', head: headNumber(args.head) };
    const { width, height, data } = await takeScreenshot(fleet.host, target, { format, ...heads, signal });
    const file = isStandard ? undefined : (args.file ?? `${target.longName}-${stamp(new Date())}.png`);
    if (file === undefined) await output.paced(data, signal);
    else await writeWhole(file, 0o666, [data]);
    return { file, width, height, sizeBytes: data.length };
  });
  return present<Taken>(context, selection, outcomes, {
    text: (name, { file, width, height }) =>
      file === undefined ? undefined : `${name}: ${width} × ${height} points in ${file}`,
    json: (taken) => taken,
  });
}

function headNumber(text: string): number {
  if (/^\d{1,2}$/.test(text)) return Number(text);
  throw new QemuError('QEMU_USAGE', `--head must be a number from 0, not "${text}"`);
}

/** `20260131-120000`, in the time of this host. */
function stamp(time: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())].join('');
  return `${day}-${[time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join('')}`;
}
