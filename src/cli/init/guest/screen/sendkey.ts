import { sendKeys } from '../../../../machine/screen/keyboard.ts';
import type { Context } from '../../../run/context.ts';
import { present } from '../../../shared/many.ts';
import { select } from '../../../shared/selection.ts';

interface Arguments {
  readonly id: string;
  readonly keys: readonly string[];
  readonly hold?: number;
}

/** Presses combinations of keys. */
export async function run(context: Context, { id, keys, hold }: Arguments): Promise<number> {
  const fleet = context.fleet();
  const { signal } = context;
  const selection = select(context, { ids: [id] }, () => []);
  const outcomes = await fleet.each(selection.targets, 1, async (target) => {
    await sendKeys(fleet.host, target, keys, { holdMs: hold, signal });
    return { outcome: 'sent', keys };
  });
  return present<object>(context, selection, outcomes, {
    text: (name) => `${name}: ${keys.join(', ')} sent`,
    json: (sent) => sent,
  });
}
