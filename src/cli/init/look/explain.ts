import { joinWords } from '../../../config/text/shell-words.ts';
import type { Origin } from '../../../config/types.ts';
import { listImages } from '../../../fleet/image-list.ts';
import { monitorOrigins } from '../../../machine/load-config.ts';
import type { Context } from '../../run/context.ts';
import { imageLines } from './image-lines.ts';

interface Explained {
  readonly args: readonly string[];
  /** Key of the cfg file; undefined for what qemu-init needs for itself. */
  readonly key: string | undefined;
  readonly file: string | undefined;
  readonly line: number | undefined;
}

export async function run(context: Context, args: { readonly id: string }): Promise<number> {
  const { output } = context;
  const fleet = context.fleet();
  const target = await fleet.settled(args.id);
  const config = fleet.config(target);
  const origins = new Map([...monitorOrigins(context.paths.monitorFile), ...config.origins]);
  const { wrapper, binary, options } = await fleet.commandLine(target);
  const images = listImages(context.paths, config);
  let customSeen = 0;
  const explained = options.map(({ args: option, key }): Explained => {
    const origin = key === '[custom]' ? config.custom[customSeen++]?.origin : origins.get(key);
    return { args: option, key: key || undefined, ...place(origin) };
  });
  if (output.json) output.document([{ name: target.longName, wrapper, binary, options: explained, images }]);
  else {
    const program = (key: string): string => from({ args: [], key, ...place(origins.get(key)) });
    output.table([
      ['FROM', 'OPTION'],
      ...(wrapper.length === 0 ? [] : [[program('RUNAS'), joinWords(wrapper)]]),
      [program('TGTARCH'), joinWords([binary])],
      ...explained.map((each) => [from(each), joinWords(each.args)]),
    ]);
    for (const line of imageLines(images)) output.line(line);
  }
  return 0;
}

function place(origin: Origin | undefined): Pick<Explained, 'file' | 'line'> {
  return { file: origin?.file, line: origin?.line };
}

function from({ key, file, line }: Explained): string {
  if (key === undefined) return 'qemu-init itself';
  return file === undefined ? `${key} (default)` : `${key} ${file}:${line}`;
}
