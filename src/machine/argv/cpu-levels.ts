/** What each level of x86-64 adds to the one before (System V ABI, AMD64 supplement, "Micro-Architecture Levels"). */
const V2 = ['cx16', 'lahf-lm', 'popcnt', 'pni', 'sse4.1', 'sse4.2', 'ssse3'];
const V3 = [...V2, 'aes', 'abm', 'avx', 'avx2', 'bmi1', 'bmi2', 'f16c', 'fma', 'movbe', 'xsave'];
const V4 = [...V3, 'avx512f', 'avx512bw', 'avx512cd', 'avx512dq', 'avx512vl'];

/** Processors that are levels, by the names that Proxmox has for them. From v2-AES on they have AES, as all real ones do. */
const LEVELS: Readonly<Record<string, readonly string[]>> = {
  'x86-64-v2': V2,
  'x86-64-v2-AES': [...V2, 'aes'],
  'x86-64-v3': V3,
  'x86-64-v4': V4,
};

/** A value of `-cpu` in which a level of x86-64 is a model that QEMU has, with the features that it asks for. */
export function withLevel(cpu: string): string {
  const [model = '', ...flags] = cpu.split(',');
  const features = Object.hasOwn(LEVELS, model) ? LEVELS[model] : undefined;
  if (features === undefined) return cpu;
  return ['qemu64', ...features.map((feature) => `+${feature}`), ...flags].join(',');
}
