import { parseProperties } from './conf.ts';

/** Models that only Proxmox has, by what QEMU calls them: a level of the x86-64 psABI and flags. */
const MODELS: Readonly<Record<string, string>> = {
  'x86-64-v2': 'qemu64,popcnt=on,pni=on,sse4.1=on,sse4.2=on,ssse3=on,cx16=on,lahf-lm=on',
  'x86-64-v2-AES': 'qemu64,popcnt=on,pni=on,sse4.1=on,sse4.2=on,ssse3=on,cx16=on,lahf-lm=on,aes=on',
  'x86-64-v3':
    'qemu64,popcnt=on,pni=on,sse4.1=on,sse4.2=on,ssse3=on,cx16=on,lahf-lm=on,aes=on,avx=on,avx2=on,bmi1=on,bmi2=on,f16c=on,fma=on,abm=on,movbe=on,xsave=on',
  'x86-64-v4':
    'qemu64,popcnt=on,pni=on,sse4.1=on,sse4.2=on,ssse3=on,cx16=on,lahf-lm=on,aes=on,avx=on,avx2=on,bmi1=on,bmi2=on,f16c=on,fma=on,abm=on,movbe=on,xsave=on,avx512f=on,avx512bw=on,avx512cd=on,avx512dq=on,avx512vl=on',
};

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
  const known = MODELS[type];
  const cpu = [
    known ?? type,
    ...flags,
    ...(isWindows ? [HYPERV] : []),
    ...(words.get('hidden') === '1' ? ['kvm=off'] : []),
    ...(words.has('hv-vendor-id') ? [`hv-vendor-id=${words.get('hv-vendor-id') ?? ''}`] : []),
  ].join(',');
  const changed =
    known === undefined
      ? type.startsWith('custom-')
        ? 'a model that only Proxmox knows'
        : undefined
      : `"${type}" is a model of Proxmox: its features`;
  return { cpu: type.startsWith('custom-') ? 'host' : cpu, changed };
}

/** Why a part of `cpu:` is not in CPU; undefined when it is. */
export function ignoredReason(name: string): string | undefined {
  return ['cputype', 'flags', 'hidden', 'hv-vendor-id'].includes(name) ? undefined : 'has no counterpart';
}
