import { normalizeMac } from './mac.ts';
import { type LeaseTable, leaseMacs, type MacRequest, type NicId } from './mac-leases.ts';

/**
 * The addresses that the NICs of these machines have or would get if all of them were started, in the order of the
 * requests. Two NICs have the same one only when `mac=` sets it.
 *
 * @param table is modified and must not be saved.
 */
export function previewMacs(table: LeaseTable, requests: readonly MacRequest[]): (NicId & { readonly mac: string })[] {
  const fixed = new Set(
    requests.flatMap(({ nics }) => nics.flatMap(({ mac }) => (mac === undefined ? [] : [normalizeMac(mac) ?? mac]))),
  );
  return requests.flatMap((request) => {
    const { macs } = leaseMacs(table, { ...request, nics: request.nics.filter(({ mac }) => mac === undefined) }, fixed);
    return request.nics.map(({ index, mac }) => ({
      machine: request.machine,
      index,
      mac: macs.get(index) ?? normalizeMac(mac ?? '') ?? mac ?? '',
    }));
  });
}
