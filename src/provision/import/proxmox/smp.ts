/** SMP of a file: its sockets, cores and processors. @param values its keys. */
export function smpOf(values: ReadonlyMap<string, string>): string {
  const sockets = Number(values.get('sockets') ?? values.get('smp') ?? '1');
  const cores = Number(values.get('cores') ?? '1');
  const all = sockets * cores;
  const vcpus = values.get('vcpus');
  const first = vcpus !== undefined && Number(vcpus) < all ? `${vcpus},maxcpus=${all}` : String(all);
  return `${first},sockets=${sockets},cores=${cores},threads=1`;
}
