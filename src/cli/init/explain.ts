import { joinWords } from '../../config/shell-words.ts';
import type { Context } from '../context.ts';

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
  const target = fleet.get(args.id);
  const { origins, custom } = fleet.config(target);
  const { binary, options } = await fleet.commandLine(target);
  let customSeen = 0;
  const explained = options.map((option): Explained => {
    const origin = option.key === '[custom]' ? custom[customSeen++]?.origin : origins.get(option.key);
    return { args: option.args, key: option.key || undefined, file: origin?.file, line: origin?.line };
  });
  if (output.json) output.document([{ name: target.longName, binary, options: explained }]);
  else {
    const program = origins.get('TGTARCH');
    output.table([
      ['FROM', 'OPTION'],
      [from({ args: [], key: 'TGTARCH', file: program?.file, line: program?.line }), joinWords([binary])],
      ...explained.map((each) => [from(each), joinWords(each.args)]),
    ]);
  }
  return 0;
}

function from({ key, file, line }: Explained): string {
  if (key === undefined) return 'qemu-init itself';
  return file === undefined ? `${key} (default)` : `${key} ${file}:${line}`;
}
