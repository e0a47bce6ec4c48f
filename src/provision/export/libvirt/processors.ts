import type { MachineConfig } from '../../../config/types.ts';
import { element, type XmlNode } from '../xml.ts';

/** `<vcpu>` and `<cpu>`. */
export function processorElements({ smp, cpu, limits }: MachineConfig): XmlNode[] {
  const words = smp.split(',').map((word) => word.split('='));
  const sizes = new Map(words.flatMap(([name, value]) => (value === undefined ? [] : [[name ?? '', value] as const])));
  const first = words.find(([, value]) => value === undefined)?.[0] ?? sizes.get('cpus');
  const most = sizes.get('maxcpus') ?? first ?? '1';
  const parts = ['sockets', 'dies', 'cores', 'threads'].filter((name) => sizes.has(name));
  const topology = parts.length === 0 ? undefined : element('topology', topologyOf(sizes, Number(most)));
  const [model = '', ...flags] = (cpu ?? '').split(',');
  const features = flags.flatMap((flag) => featureOf(flag) ?? []);
  const mode = model === 'host' ? 'host-passthrough' : model === 'max' || model === '' ? 'maximum' : 'custom';
  return [
    element('vcpu', { cpuset: limits?.cpuSet, ...(first !== most && { current: first }) }, most),
    element('cpu', { mode, ...(mode === 'custom' && { match: 'exact' }) }, [
      mode === 'custom' ? element('model', { fallback: 'forbid' }, model) : undefined,
      topology,
      ...features,
    ]),
  ];
}

/** libvirt wants all of sockets, cores and threads. */
function topologyOf(sizes: ReadonlyMap<string, string>, most: number): Record<string, string> {
  const cores = Number(sizes.get('cores') ?? '1');
  const threads = Number(sizes.get('threads') ?? '1');
  const dies = Number(sizes.get('dies') ?? '1');
  const sockets = sizes.get('sockets') ?? String(Math.max(1, Math.floor(most / (cores * threads * dies))));
  return { sockets, dies: String(dies), cores: String(cores), threads: String(threads) };
}

function featureOf(flag: string): XmlNode | undefined {
  const [, sign, name = '', value] = /^([+-]?)([\w.-]+)(?:=(on|off))?$/.exec(flag) ?? [];
  // Those of Hyper-V and KVM are elsewhere.
  if (name === '' || name.startsWith('hv-') || name === 'kvm') return undefined;
  return element('feature', { policy: sign === '-' || value === 'off' ? 'disable' : 'require', name });
}
