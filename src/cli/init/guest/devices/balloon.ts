import { QemuError } from '../../../../base/errors.ts';
import { parseSize } from '../../../../config/text/values.ts';
import { type BalloonResult, readBalloon, setBalloon } from '../../../../machine/change/balloon.ts';
import { sizeText } from '../../../output/sizes.ts';
import type { Context } from '../../../run/context.ts';
import { present } from '../../../shared/many.ts';
import { select } from '../../../shared/selection.ts';

interface Arguments {
  readonly id: string;
  readonly size?: string;
  readonly timeout?: number;
}

/** Shows how much memory a guest has, or changes it. */
export async function run(context: Context, { id, size, timeout }: Arguments): Promise<number> {
  const bytes = size === undefined ? undefined : parseSize(size);
  if (size !== undefined && bytes === undefined) {
    throw new QemuError('QEMU_USAGE', `"${size}" is not a size, such as 512M or 2G`);
  }
  const fleet = context.fleet();
  const timeoutMs = timeout === undefined ? undefined : timeout * 1000;
  const options = { timeoutMs, signal: context.signal };
  const selection = select(context, { ids: [id] }, () => []);
  const outcomes = await fleet.each(selection.targets, 1, (target) =>
    bytes === undefined ? readBalloon(fleet.host, target, options) : setBalloon(fleet.host, target, bytes, options),
  );
  return present<BalloonResult>(context, selection, outcomes, {
    text: (name, { actualBytes, memoryBytes }) =>
      `${name}: the guest has ${sizeText(actualBytes)} of ${sizeText(memoryBytes)}`,
    json: (result) => result,
  });
}
