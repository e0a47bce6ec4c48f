/** A place on the board's own PCI bus. */
export interface PciSlot {
  readonly slot: number;
  /** 0 to 7. */
  readonly fn: number;
}

/** The place that the properties of a device name, on the board's own bus; QEMU reads both parts as hexadecimal. */
export function pciSlotOf(properties: ReadonlyMap<string, string>): PciSlot | undefined {
  const bus = properties.get('bus') ?? 'pcie.0';
  const [, slot, fn = '0'] = /^(?:0x)?([0-9a-f]{1,2})(?:\.(?:0x)?([0-7]))?$/i.exec(properties.get('addr') ?? '') ?? [];
  if (slot === undefined || !/^pcie?\.0$/.test(bus)) return undefined;
  return { slot: Number.parseInt(slot, 16), fn: Number(fn) };
}
