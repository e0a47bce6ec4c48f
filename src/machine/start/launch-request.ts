import type { MachineConfig } from '../../config/types.ts';
import { hasIpv6Loopback } from '../../system/ports.ts';
import type { DetachedProcess } from '../../system/process/launch-process.ts';
import type { Allocation } from '../allocation.ts';
import type { ArgvRequest } from '../argv/request.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { usbHostNodes } from '../host-devices/host-nodes.ts';
import { locate } from '../run/locate.ts';
import { previewSlot } from '../run/slots.ts';
import { emulatedCpu, fitToTarget } from '../target.ts';
import { findFirmware } from './firmware.ts';
import type { PassedFd } from './passed-fd.ts';
import { type Prepared, prepare } from './prepare.ts';

/** How a machine is to be started. */
export interface LaunchMode {
  /** Leave the machine before the guest's first instruction. */
  readonly paused?: boolean | undefined;
  /** Leave it before the machine is made (`--preconfig`). */
  readonly preconfig?: boolean | undefined;
}

/** How to start a machine. */
export interface StartOptions extends LaunchMode {
  readonly signal?: AbortSignal | undefined;
  /** Open descriptors that QEMU gets in fd sets. */
  readonly fds?: readonly PassedFd[] | undefined;
  /** Called with QEMU's process as soon as there is one; again when a port was lost and it is started anew. */
  readonly onSpawn?: ((process: DetachedProcess) => void) | undefined;
  /** Called when QEMU answers, before POSTCMD; also for a machine that runs already. */
  readonly onUp?: ((up: { readonly pid: number }) => Promise<void>) | undefined;
  /** Drops a saved state, instead of going on from it. */
  readonly fresh?: boolean | undefined;
  /** Also one that has moved away, or was not released by where it comes from: its guest runs nowhere else, for sure. */
  readonly iKnow?: boolean | undefined;
  /** An interrupted start leaves a QEMU that was begun, whose guest may run: the caller stops it by the ladder. */
  readonly keepInterrupted?: boolean | undefined;
}

/** Gathers all that the command line depends on. `lease` says whether new addresses are written down. */
export async function makeRequest(
  host: MachineContext,
  target: MachineRef,
  stated: MachineConfig,
  prepared: Prepared,
  allocation: Allocation,
  mode: LaunchMode & { readonly lease: boolean },
): Promise<ArgvRequest> {
  const config = fitToTarget(stated, prepared.probe);
  return {
    config,
    machine: target.files,
    allocation,
    accelerator: prepared.accelerator,
    emulatedCpu: emulatedCpu(prepared.probe),
    binary: prepared.probe.binary,
    ipv6: hasIpv6Loopback(),
    tls: host.monitor.tls === 'psk' && allocation.monitorPort !== undefined,
    images: prepared.images.disks.map(({ image }) => image),
    cdroms: prepared.images.cdroms,
    links: await host.network.links(config, { lease: mode.lease, accelerator: prepared.accelerator }),
    usbHosts: usbHostNodes(config),
    firmware: findFirmware(config, target.files),
    paused: mode.paused === true,
    preconfig: mode.preconfig === true,
  };
}

/**
 * What a start would run now; of a running machine, with the slot that it has. Changes nothing.
 *
 * @throws {ConfigError} when something that the configuration names is wrong on this host.
 */
export async function previewRequest(
  host: MachineContext,
  target: MachineRef,
  config: MachineConfig,
): Promise<ArgvRequest> {
  return (await previewStart(host, target, config)).request;
}

/** The same, with what was found out about the host. @throws {ConfigError} */
export async function previewStart(
  host: MachineContext,
  target: MachineRef,
  config: MachineConfig,
): Promise<{ readonly request: ArgvRequest; readonly prepared: Prepared }> {
  const prepared = await prepare(host, config, target.files);
  const allocation = await currentAllocation(host, target, config);
  return { prepared, request: await makeRequest(host, target, config, prepared, allocation, { lease: false }) };
}

async function currentAllocation(host: MachineContext, target: MachineRef, config: MachineConfig): Promise<Allocation> {
  const located = locate(target.files);
  if (located.kind === 'alive' && located.record) {
    const { slot, monitorPort, controlPort } = located.record;
    return {
      slot,
      monitorPort,
      controlPort,
      vncDisplay: slot === undefined ? undefined : host.monitor.vncDisplay + slot,
    };
  }
  return previewSlot(host, target.longName, usesSlotDisplay(config));
}

/** Whether the machine's VNC display comes from its slot. */
export function usesSlotDisplay(config: MachineConfig): boolean {
  return config.vnc.kind === 'tcp' && config.vnc.display === undefined;
}
