import { QemuError } from '../../base/errors.ts';
import type { NicConfig } from '../../config/device-config.ts';
import type { MachineConfig } from '../../config/types.ts';
import type { MachineContext, MachineRef } from '../context.ts';
import { type RunRecord, readRecord } from '../run/record.ts';

/**
 * The name that taps of a QEMU between two others have: no machine's, and short enough for an interface. The first of the
 * two has those of the machine.
 */
export function interimName(longName: string): string {
  return `${longName}~`;
}

/**
 * Whether a second QEMU cannot have all of a machine while the first one lives: a port has one listener, and a tap one
 * user. Then the guest goes on for a moment in one that does without. Pure.
 */
export function needsInterim(config: Pick<MachineConfig, 'vnc' | 'nics'>, record: RunRecord | undefined): boolean {
  if (record?.isInterim === true) return false;
  const has = ({ net, hostForwards }: NicConfig): boolean =>
    net === 'bridge' || net === 'passt' || hostForwards.length > 0;
  return record?.slot !== undefined || config.vnc.kind === 'tcp' || config.nics.some(has);
}

/** The same hardware without what listens. Pure. */
export function interimConfig(config: MachineConfig): MachineConfig {
  const nics = config.nics.map((nic): NicConfig => {
    // The state of the network that is inside QEMU goes along; what passt has, stays with it.
    return { ...nic, net: nic.net === 'passt' ? 'none' : nic.net, hostForwards: [] };
  });
  return { ...config, vnc: { kind: 'off' }, nics };
}

/** A host that makes the taps of a machine under the name for a moment. */
export function interimHost(host: MachineContext): MachineContext {
  const { network } = host;
  return {
    ...host,
    network: {
      ...network,
      links: (config, options) => network.links(config, { ...options, tapsOf: interimName(config.longName) }),
      setUp: (config, options) => network.setUp(config, { ...options, tapsOf: interimName(config.longName) }),
    },
  };
}

/** What a machine lacks whose restart was interrupted between two QEMUs, as clauses. */
export function lacks({ files }: MachineRef): string[] {
  try {
    if (readRecord(files)?.isInterim !== true) return [];
  } catch (error) {
    // Not for this user to see.
    if (!(error instanceof QemuError)) throw error;
    return [];
  }
  return ['its ports, screen and forwarded ports are missing, since its live restart was interrupted: repeat it'];
}
