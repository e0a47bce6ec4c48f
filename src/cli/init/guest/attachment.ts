import { QemuError } from '../../../base/errors.ts';
import { attachDevices, detachDevices } from '../../../machine/change/attach.ts';
import type { ReloadResult } from '../../../machine/change/reload.ts';
import type { Context } from '../../run/context.ts';
import { present } from '../../shared/many.ts';
import { select } from '../../shared/selection.ts';

interface Arguments {
  readonly id: string;
  readonly persist?: boolean;
  readonly timeout: number;
}

/** Plugs devices into a running machine. */
export async function attach(
  context: Context,
  args: Arguments & { readonly devices: readonly string[] },
): Promise<number> {
  const fleet = context.fleet();
  const values = new Map(args.devices.map(assignment));
  if (values.size < args.devices.length) throw new QemuError('QEMU_USAGE', 'A key was given twice');
  const selection = select(context, { ids: [args.id] }, () => []);
  const outcomes = await fleet.each(selection.targets, 1, (target) =>
    attachDevices(fleet.host, target, values, optionsOf(context, args)),
  );
  return present(context, selection, outcomes, presentation('attached', 'already attached'));
}

/** Unplugs devices of a running machine. */
export async function detach(
  context: Context,
  args: Arguments & { readonly keys: readonly string[] },
): Promise<number> {
  const fleet = context.fleet();
  const selection = select(context, { ids: [args.id] }, () => []);
  const outcomes = await fleet.each(selection.targets, 1, (target) =>
    detachDevices(fleet.host, target, [...new Set(args.keys)], optionsOf(context, args)),
  );
  return present(context, selection, outcomes, presentation('detached', 'already detached'));
}

function optionsOf({ signal }: Context, { persist, timeout }: Arguments) {
  return { persist, timeoutMs: timeout * 1000, signal };
}

function assignment(word: string): [key: string, value: string] {
  const [, key, value] = /^([^=]+)=(.*)$/s.exec(word) ?? [];
  if (key !== undefined && value !== undefined && value !== '') return [key, value];
  if (key !== undefined) {
    throw new QemuError('QEMU_USAGE', `${key} has no value`, { hint: `to unplug it: qemu-init detach ID ${key}` });
  }
  throw new QemuError('QEMU_USAGE', `"${word}" is not KEY=VALUE`, { hint: 'such as DSK2=data.qcow2' });
}

function presentation(outcome: 'attached' | 'detached', none: string) {
  return {
    text: (name: string, { applied }: ReloadResult) =>
      applied.length === 0 ? `${name}: ${none}` : `${name}: ${outcome} ${applied.join(', ')}`,
    json: ({ applied }: ReloadResult) => ({ outcome, applied }),
    failed: () => ({ outcome: 'failed' }),
  };
}
