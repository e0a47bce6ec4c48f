/** A Linux kernel that has a header and nothing else (Linux Documentation/arch/x86/boot.rst). */
export function emptyKernel(): Uint8Array {
  const kernel = Buffer.alloc(4096);
  kernel[0x1f1] = 1;
  kernel.writeUInt16LE(0xaa55, 0x1fe);
  kernel.write('HdrS', 0x202, 'latin1');
  kernel.writeUInt16LE(0x020c, 0x206);
  kernel[0x211] = 1;
  kernel.writeUInt32LE(0x7fffffff, 0x22c);
  return kernel;
}
