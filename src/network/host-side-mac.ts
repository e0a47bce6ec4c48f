/**
 * The address of the host's end of a tap: the NIC's own, starting with FE. A bridge without a fixed address takes the
 * lowest of its ports', so that with a lower one the bridge's address would change whenever a machine starts.
 */
export function hostSideMac(mac: string): string {
  // Equal addresses on both ends would make the bridge keep for itself what is sent to the guest.
  return (/^fe/i.test(mac) ? 'fa' : 'fe') + mac.slice(2).toLowerCase();
}
