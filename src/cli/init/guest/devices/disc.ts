import { resolve } from 'node:path';
import { type DiscResult, ejectDisc, insertDisc } from '../../../../machine/change/disc.ts';
import type { Context } from '../../../run/context.ts';
import { present } from '../../../shared/many.ts';
import { select } from '../../../shared/selection.ts';

interface Arguments {
  readonly id: string;
  readonly drive: string;
  readonly force?: boolean;
  readonly persist?: boolean;
  readonly timeout?: number;
}

/** Puts a disc into a drive. */
export async function insert(context: Context, args: Arguments & { readonly file: string }): Promise<number> {
  return exchange(context, args, resolve(args.file));
}

/** Takes the disc out of a drive. */
export async function eject(context: Context, args: Arguments): Promise<number> {
  return exchange(context, args, undefined);
}

async function exchange(context: Context, args: Arguments, file: string | undefined): Promise<number> {
  const { drive, force, persist, timeout } = args;
  const timeoutMs = timeout === undefined ? undefined : timeout * 1000;
  const options = { force, persist, timeoutMs, signal: context.signal };
  const fleet = context.fleet();
  const selection = select(context, { ids: [args.id] }, () => []);
  const outcomes = await fleet.each(selection.targets, 1, (target) =>
    file === undefined
      ? ejectDisc(fleet.host, target, drive, options)
      : insertDisc(fleet.host, target, drive, file, options),
  );
  return present<DiscResult>(context, selection, outcomes, {
    text: (name, result) => `${name}: ${drive} ${result.file === undefined ? 'is empty' : `has ${result.file}`}`,
    json: (result) => ({ outcome: file === undefined ? 'ejected' : 'inserted', drive, file: result.file }),
  });
}
