import { type ScreenAccess, screenAccess } from '../../../../fleet/screen.ts';
import type { Context } from '../../../run/context.ts';
import { present } from '../../../shared/many.ts';
import { select } from '../../../shared/selection.ts';
import { openViewer } from './open-viewer.ts';

interface Arguments {
  readonly id: string;
  readonly open?: boolean;
}

export async function run(context: Context, args: Arguments): Promise<number> {
  const fleet = context.fleet();
  const selection = select(context, { ids: [args.id] }, () => []);
  const outcomes = await fleet.each(selection.targets, 1, async (target) => screenAccess(target));
  const [outcome] = outcomes;
  if (args.open === true && outcome?.ok === true) return openViewer(outcome.value);
  return present<ScreenAccess>(context, selection, outcomes, { text: describe, json: (access) => access });
}

function describe(name: string, { host, port, socket, tunnel, viewer }: ScreenAccess): string {
  return socket === undefined
    ? [
        `${name}: VNC at ${host}, port ${port}`,
        `  on this host: ${viewer}`,
        `  elsewhere:    ${tunnel}`,
        `                then vnc://localhost:${port}`,
      ].join('\n')
    : [
        `${name}: VNC at socket ${socket}`,
        `  here or elsewhere: ${tunnel}`,
        `                     then ${viewer}`,
      ].join('\n');
}
