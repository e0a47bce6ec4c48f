const MIB = 1024 ** 2;

/** Bytes as `-m` reads them, in the largest unit that is exact. */
export function memoryValue(bytes: number): string {
  for (const [unit, size] of [
    ['T', MIB * MIB],
    ['G', 1024 * MIB],
    ['M', MIB],
    ['K', 1024],
  ] as const) {
    if (bytes >= size && bytes % size === 0) return `${bytes / size}${unit}`;
  }
  return `${bytes}B`;
}
