import { findServices } from '../../fleet/service/services.ts';
import type { Notice } from '../../machine/context.ts';
import { Fleet } from '../../provision/library/fleet.ts';
import { type Paths, resolvePaths } from '../../system/paths.ts';
import { trustPath } from '../../system/trust/trusted-path.ts';
import type { Output } from '../output/output.ts';
import type { CommonArguments } from './options.ts';

/** What every action works with. */
export interface Context {
  readonly output: Output;
  readonly paths: Paths;
  /** Aborted by Ctrl-C, SIGTERM and SIGHUP. */
  readonly signal: AbortSignal;
  /** Reads the host's configuration at the first call. */
  readonly fleet: () => Fleet;
  /** Notices of the fleet so far. */
  readonly notices: readonly Notice[];
}

export function makeContext(args: CommonArguments, output: Output, signal: AbortSignal): Context {
  // Without links: machines are recognised by paths on their command lines, so one root must not have two spellings.
  const root = args.root ?? (args.system || args.user ? undefined : process.env['QEMU_INIT_ROOT'] || undefined);
  const paths = resolvePaths(
    { root: root === undefined ? undefined : trustPath(root).path, system: args.system, user: args.user },
    process.env,
    process.getuid?.() ?? 0,
    process.cwd(),
  );
  let fleet: Fleet | undefined;
  const notices: Notice[] = [];
  const notify = (notice: Notice): void => {
    notices.push(notice);
    output.notice(notice);
  };
  return {
    output,
    paths,
    signal,
    notices,
    fleet: () => {
      fleet ??= new Fleet(paths, notify, args.direct ? undefined : findServices(paths));
      return fleet;
    },
  };
}
