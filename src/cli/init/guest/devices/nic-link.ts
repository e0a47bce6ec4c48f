import { QemuError } from '../../../../base/errors.ts';
import { setLink } from '../../../../machine/change/link.ts';
import type { Context } from '../../../run/context.ts';
import { present } from '../../../shared/many.ts';
import { select } from '../../../shared/selection.ts';

interface Arguments {
  readonly id: string;
  readonly nic: string;
  readonly state: string;
}

/** Pulls the cable of a network card, or plugs it in. */
export async function run(context: Context, { id, nic, state }: Arguments): Promise<number> {
  if (state !== 'up' && state !== 'down') {
    throw new QemuError('QEMU_USAGE', `The link must be up or down, not "${state}"`);
  }
  const fleet = context.fleet();
  const { signal } = context;
  const selection = select(context, { ids: [id] }, () => []);
  const outcomes = await fleet.each(selection.targets, 1, async (target) => {
    await setLink(fleet.host, target, nic, state === 'up', { signal });
    return { nic, link: state };
  });
  return present<object>(context, selection, outcomes, {
    text: (name) => `${name}: the link of ${nic} is ${state}`,
    json: (link) => link,
  });
}
