import { asArray, asNumber, asRecord, asText, optionalText } from '../base/guards.ts';

/** One PCI device (`query-pci`). */
export interface PciDevice {
  /** Number of its bus; 0 for all of them before the firmware has numbered them. */
  readonly bus: number;
  readonly slot: number;
  readonly function: number;
  /** Id of its device; empty for the board's own. */
  readonly qdevId: string;
  /** PCI class code, and QEMU's description of it. */
  readonly classInfo: { readonly class: number; readonly description: string | undefined };
  readonly id: { readonly vendor: number; readonly device: number };
  readonly regions: readonly PciRegion[];
}

/** A range of addresses of a PCI device. */
export interface PciRegion {
  /** Number of its base address register. */
  readonly bar: number;
  readonly type: 'io' | 'memory' | (string & {});
  /** Undefined until the firmware has given it one (QEMU reports −1). */
  readonly address: number | undefined;
  /** Bytes. */
  readonly size: number;
  readonly prefetch: boolean;
  /** Whether it may lie above 4 GiB. */
  readonly memType64: boolean;
}

/** All devices of all buses, each bridge followed by what is behind it. */
export function parsePciDevices(answer: unknown): PciDevice[] {
  return asArray(answer).flatMap((bus) => asArray(asRecord(bus)['devices']).flatMap(withThoseBehind));
}

function withThoseBehind(value: unknown): PciDevice[] {
  const behind = asArray(asRecord(asRecord(value)['pci_bridge'])['devices']);
  return [parseDevice(value), ...behind.flatMap(withThoseBehind)];
}

function parseDevice(value: unknown): PciDevice {
  const device = asRecord(value);
  const classInfo = asRecord(device['class_info']);
  const id = asRecord(device['id']);
  return {
    bus: asNumber(device['bus']),
    slot: asNumber(device['slot']),
    function: asNumber(device['function']),
    qdevId: asText(device['qdev_id']),
    classInfo: { class: asNumber(classInfo['class']), description: optionalText(classInfo['desc']) },
    id: { vendor: asNumber(id['vendor']), device: asNumber(id['device']) },
    regions: asArray(device['regions']).map(parseRegion),
  };
}

function parseRegion(value: unknown): PciRegion {
  const region = asRecord(value);
  const address = asNumber(region['address']);
  return {
    bar: asNumber(region['bar']),
    type: asText(region['type']),
    address: address < 0 ? undefined : address,
    size: asNumber(region['size']),
    prefetch: region['prefetch'] === true,
    memType64: region['mem_type_64'] === true,
  };
}
