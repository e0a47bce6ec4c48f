import { buildOptions } from '../machine/argv/build.ts';
import type { Option } from '../machine/argv/option.ts';
import type { MachineRef } from '../machine/context.ts';
import { limitPrefix, pinPrefix } from '../machine/limits/limit-prefix.ts';
import { previewRequest } from '../machine/start/launch-request.ts';
import { previewRunAsPrefix } from '../machine/start/run-as.ts';
import { surroundingsPrefix } from '../machine/start/surroundings.ts';
import type { FleetParts } from './life/parts.ts';

/** What runs, as data. */
export interface CommandLine {
  /** Program and options that run QEMU, with RUNAS; else empty. */
  readonly wrapper: readonly string[];
  readonly binary: string;
  readonly options: readonly Option[];
}

/** What a start would run; see `Fleet.commandLine`. */
export async function commandLineOf({ machines, services }: FleetParts, target: MachineRef): Promise<CommandLine> {
  const config = machines.config(target);
  if (machines.monitorError) throw machines.monitorError;
  const request = await previewRequest(machines.host, target, config);
  const prefix = await previewRunAsPrefix(config, request.accelerator);
  // A unit prepares its surroundings itself.
  const isDirect = services === undefined;
  const limits = isDirect ? await limitPrefix(machines.host, config) : { scope: [], pin: pinPrefix(config) };
  const wrapper = [
    ...limits.scope,
    ...limits.pin,
    ...(isDirect && prefix.length > 0 ? await surroundingsPrefix(machines.host.paths, config, target.files, {}) : []),
    ...prefix,
  ];
  return { wrapper, binary: request.binary, options: buildOptions(request) };
}
