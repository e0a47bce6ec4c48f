import { interfaceNames, readAttribute } from '../network/sysfs.ts';
import { tapMatcher } from '../network/taps/tap-names.ts';
import type { NicSample } from './sample.ts';

/** Names of the taps of machines, looked up once for all of them. */
export function tapsOf(longName: string, interfaces: readonly string[] = interfaceNames()): string[] {
  return interfaces.filter(tapMatcher(longName));
}

/**
 * Counters of a tap, turned around: what the host receives from it is what the guest sends.
 *
 * @param tap as qemu-init names it, with the number of the NIC at its end.
 */
export function readNic(tap: string): NicSample | undefined {
  const number = /\.(\d+)$/.exec(tap)?.[1];
  const read = (name: string): number | undefined => {
    const text = readAttribute(tap, `statistics/${name}`);
    return text === undefined ? undefined : Number(text);
  };
  const sent = read('rx_bytes');
  if (number === undefined || sent === undefined) return undefined;
  return {
    nic: `nic${number}`,
    receivedBytes: read('tx_bytes') ?? 0,
    transmittedBytes: sent,
    receivedPackets: read('tx_packets') ?? 0,
    transmittedPackets: read('rx_packets') ?? 0,
    receiveDropped: read('tx_dropped') ?? 0,
    transmitDropped: read('rx_dropped') ?? 0,
  };
}
