import { QemuError } from '../../../../base/errors.ts';
import { DEFAULT_LAYOUT } from '../../../../domain/keyboard/layouts.ts';
import { typeText } from '../../../../machine/screen/keyboard.ts';
import { readStdin } from '../../../input/read-stdin.ts';
import type { Context } from '../../../run/context.ts';
import { present } from '../../../shared/many.ts';
import { select } from '../../../shared/selection.ts';

interface Arguments {
  readonly id: string;
  readonly text: string;
  readonly enter?: boolean;
  readonly layout?: string;
  readonly hold?: number;
}

const MOST_BYTES = 64 * 1024;

/** Types a text on the guest's keyboard; `-` is that of standard input. */
export async function run(context: Context, args: Arguments): Promise<number> {
  const fleet = context.fleet();
  const { signal } = context;
  const given = args.text === '-' ? String(await readStdin(MOST_BYTES, signal)) : args.text;
  const text = args.enter === true ? `${given}\n` : given;
  if (text === '') throw new QemuError('QEMU_USAGE', 'There is nothing to type');
  const selection = select(context, { ids: [args.id] }, () => []);
  const outcomes = await fleet.each(selection.targets, 1, async (target) => {
    const layout = args.layout ?? fleet.inspect(target).config?.keymap ?? DEFAULT_LAYOUT;
    const strokes = await typeText(fleet.host, target, text, layout, { holdMs: args.hold, signal });
    return { outcome: 'typed', layout, strokes };
  });
  return present<{ readonly layout: string; readonly strokes: number }>(context, selection, outcomes, {
    // Never the text: it may be a password.
    text: (name, { strokes, layout }) => `${name}: ${strokes} strokes on a keyboard of the layout ${layout}`,
    json: (typed) => typed,
  });
}
