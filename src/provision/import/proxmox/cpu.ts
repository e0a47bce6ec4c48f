import { parseProperties } from './conf.ts';

/** What Hyper-V offers to Windows, which Proxmox switches on for it. */
const HYPERV =
  'hv-relaxed=on,hv-vapic=on,hv-spinlocks=0x1fff,hv-time=on,hv-vpindex=on,hv-synic=on,hv-stimer=on,hv-reset=on,hv-runtime=on';

/** CPU for a value of `cpu:`, and what was changed about it. */
export function cpuOf(
  value: string,
  values: ReadonlyMap<string, string>,
): { cpu: string; changed: string | undefined } {
  const words = new Map(parseProperties(value, 'cputype'));
  const type = words.get('cputype') ?? 'kvm64';
  const flags = (words.get('flags') ?? '')
    .split(';')
    .flatMap((flag) => /^([+-])([\w.-]+)$/.exec(flag)?.slice(1, 3).join('') ?? [])
    .map((flag) => `${flag.slice(1)}=${flag.startsWith('+') ? 'on' : 'off'}`);
  const isWindows =
    /^w(?:in|2k|vista)/.test(values.get('ostype') ?? '') && !/^w(?:xp|2k3?|vista)$/.test(values.get('ostype') ?? '');
  const isCustom = type.startsWith('custom-');
  const cpu = [
    isCustom ? 'host' : type,
    ...flags,
    ...(isWindows ? [HYPERV] : []),
    ...(words.get('hidden') === '1' ? ['kvm=off'] : []),
    ...(words.has('hv-vendor-id') ? [`hv-vendor-id=${words.get('hv-vendor-id') ?? ''}`] : []),
  ].join(',');
  return { cpu, changed: isCustom ? 'a model that only Proxmox knows' : undefined };
}

/** Why a part of `cpu:` is not in CPU; undefined when it is. */
export function ignoredReason(name: string): string | undefined {
  return ['cputype', 'flags', 'hidden', 'hv-vendor-id'].includes(name) ? undefined : 'has no counterpart';
}
