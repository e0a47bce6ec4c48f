import { renderMachineConfig } from '../../config/render-machine.ts';
import type { MachineConfig } from '../../config/types.ts';
import { buildArgs, buildOptions } from '../argv/build.ts';
import type { ArgvRequest } from '../argv/request.ts';
import type { Prepared } from '../start/prepare.ts';
import type { HardwareNow } from './saved-differences.ts';
import { hostCpuOf } from './saved-facts.ts';

/**
 * The hardware that a start would give to a guest, to be compared with what the guest has.
 *
 * @param request made without a slot: ports are no hardware.
 */
export function hardwareNow(
  config: MachineConfig,
  { probe }: Pick<Prepared, 'probe'>,
  request: ArgvRequest,
): HardwareNow {
  return {
    qemuVersion: probe.version,
    machineTypes: probe.machines,
    options: buildOptions(request),
    config: renderMachineConfig(config),
    hostCpu: hostCpuOf(buildArgs(request)),
  };
}
